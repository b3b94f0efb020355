/** Title and advice for each code of the server's taxonomy (docs/errors.md), and for those of the page itself. */
export const en = {
  INTERNAL: {
    title: 'Something broke in the server',
    todo: 'This is a fault of the program, not of your document. Try once more; if it stays, give the request id to whoever runs the server.',
  },
  INVALID_REQUEST: {
    title: 'The server did not accept a setting',
    todo: 'Correct what is named below and try again.',
  },
  UNSUPPORTED_FORMAT: {
    title: 'This kind of file cannot be read',
    todo: 'Give a JPEG, PNG, WebP, TIFF, BMP or PDF. The name does not matter: save the document in one of these formats.',
  },
  CORRUPT_DOCUMENT: {
    title: 'The file is damaged',
    todo: 'Open it in another program and save it again, or scan it once more.',
  },
  ENCRYPTED_DOCUMENT: {
    title: 'The PDF needs a password',
    todo: 'Enter its password. If you did, it was not the right one.',
  },
  UNAUTHENTICATED: {
    title: 'You are not signed in',
    todo: 'Sign in with an API key or a token. If you did, it does not hold any more: ask for a new one.',
  },
  FORBIDDEN: {
    title: 'Your key may not do this',
    todo: 'Ask whoever runs the server for a key with the right that is named below.',
  },
  NOT_FOUND: {
    title: 'It is not there any more',
    todo: 'The server keeps finished jobs for a limited time. Add the document again.',
  },
  CONFLICT: {
    title: 'This contradicts what is there already',
    todo: 'Wait until the document has ended, or add it again.',
  },
  RATE_LIMITED: {
    title: 'That is more than your quota allows',
    todo: 'Wait a little; nothing was lost. If it happens often, ask for a larger quota.',
  },
  OVERLOADED: {
    title: 'The server is busy',
    todo: 'The document was not begun. Try again in a moment.',
  },
  IMAGE_TOO_LARGE: {
    title: 'The document is too large',
    todo: 'Make the image smaller (300 dpi is enough), or split the document.',
  },
  MODEL_LOAD_FAILED: {
    title: 'The server has no model to read with',
    todo: 'Nothing is wrong with your document. Tell whoever runs the server: “shizi doctor” says what is missing.',
  },
  OUT_OF_MEMORY: {
    title: 'The server ran out of memory',
    todo: 'Try again later, or add a smaller image or fewer pages.',
  },
  TIMEOUT: {
    title: 'Reading took too long',
    todo: 'Try again. If it stays, add fewer pages at a time or a smaller image.',
  },
  ENGINE_UNAVAILABLE: {
    title: 'The server is not ready yet',
    todo: 'It is loading its models or starting anew. Try again in a few seconds.',
  },
  STORAGE_UNAVAILABLE: {
    title: 'The server cannot reach its database',
    todo: 'Nothing was changed. Try again in a moment; if it stays, tell whoever runs the server.',
  },
  UNREACHABLE: {
    title: 'The server cannot be reached',
    todo: 'Look whether it is running and whether you are connected, then try again. What you corrected is not lost.',
  },
  UNEXPECTED_ANSWER: {
    title: 'The answer makes no sense',
    todo: 'Something between this page and the server may have answered in its place. Try again, or tell whoever runs the server.',
  },
  PICTURE_GONE: {
    title: 'The image is no longer kept',
    todo: 'The text is still here. Add the file again to see the page, or to make a PDF of it.',
  },
  INTERRUPTED: {
    title: 'Reading was interrupted several times',
    todo: 'It is not begun again by itself, since it may be what ended the browser. Try again when you want it read.',
  },
  BROKEN_PAGE: {
    title: 'Something broke in this page',
    todo: 'This is a fault of the program, not of your document. Try again; if it stays, load the page anew. Your corrections are kept.',
  },
  ARCHIVE_TOO_LARGE: {
    title: 'All together they are too large for one archive',
    todo: 'Export fewer documents at a time.',
  },
} as const
