/** The files that a document can be taken as. */

export interface Format {
  /** As the server calls it. */
  readonly name: string
  readonly extension: string
  /** It shows the page, so the server needs the file it was read from. */
  readonly needsFile: boolean
  /** It is compressed already. */
  readonly packed: boolean
}

const KNOWN: readonly Format[] = [
  { name: 'text', extension: '.txt', needsFile: false, packed: false },
  { name: 'docx', extension: '.docx', needsFile: false, packed: true },
  { name: 'xlsx', extension: '.xlsx', needsFile: false, packed: true },
  { name: 'pdf', extension: '.pdf', needsFile: true, packed: true },
  { name: 'md', extension: '.md', needsFile: false, packed: false },
  { name: 'csv', extension: '.csv', needsFile: false, packed: false },
  { name: 'json', extension: '.json', needsFile: false, packed: false },
  { name: 'hocr', extension: '.hocr', needsFile: false, packed: false },
  { name: 'alto', extension: '.alto.xml', needsFile: false, packed: false },
  { name: 'annotated', extension: '.annotated.png', needsFile: true, packed: true },
]

/** What of it this server makes; a format that only a newer server knows has its name as its extension. */
export function formatsOf(offered: Readonly<Record<string, string>>): Format[] {
  const known = KNOWN.filter((format) => format.name in offered)
  const others = Object.keys(offered)
    .filter((name) => !KNOWN.some((format) => format.name === name))
    .map((name) => ({ name, extension: `.${name}`, needsFile: false, packed: false }))
  return [...known, ...others]
}
