/** To the clipboard, also where the page is not served over HTTPS and the browser has no modern way. */

/** Copies a text; one that is still on its way counts as asked for by the person at once. False: the browser did not allow it. */
export async function copy(text: string | Promise<string>, html?: string): Promise<boolean> {
  try {
    await write(text, html)
    return true
  } catch (error) {
    if (!(error instanceof DOMException) && !(error instanceof TypeError)) throw error
  }
  return byHand(await text)
}

async function write(text: string | Promise<string>, html?: string): Promise<void> {
  if (typeof text === 'string' && html === undefined) return navigator.clipboard.writeText(text)
  const plain = 'text/plain'
  const kinds: Record<string, Blob | Promise<Blob>> = {
    [plain]: Promise.resolve(text).then((whole) => new Blob([whole], { type: plain })),
  }
  if (html !== undefined) kinds['text/html'] = new Blob([html], { type: 'text/html' })
  await navigator.clipboard.write([new ClipboardItem(kinds)])
}

function byHand(text: string): boolean {
  const field = document.createElement('textarea')
  const before = document.activeElement
  field.value = text
  field.setAttribute('aria-hidden', 'true')
  field.className = 'only-spoken'
  document.body.append(field)
  field.select()
  const done = document.execCommand('copy')
  field.remove()
  if (before instanceof HTMLElement) before.focus()
  return done
}
