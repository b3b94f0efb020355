/** The files in what was dropped or pasted, folders walked through. */

export interface Given {
  readonly files: File[]
  /** Some lay in a folder. */
  readonly folder: boolean
}

/** More than `most` are not looked at. Must be called while the event lasts: afterwards its data is gone. */
export function dropped(data: DataTransfer, most: number): Promise<Given> {
  const roots = [...data.items]
    .filter((item) => item.kind === 'file')
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null)
  if (!roots.some((entry) => entry.isDirectory))
    return Promise.resolve({ files: [...data.files], folder: false })
  return walk(roots, most).then((files) => ({ files, folder: true }))
}

async function walk(roots: FileSystemEntry[], most: number): Promise<File[]> {
  const files: File[] = []
  const left = [...roots]
  for (let entry = left.shift(); entry && files.length < most; entry = left.shift()) {
    if (isDirectory(entry)) left.unshift(...sorted(await children(entry)))
    else if (isFile(entry) && !entry.name.startsWith('.')) files.push(await fileOf(entry))
  }
  return files
}

/** readEntries gives about a hundred at a time, and none at the end. */
async function children(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail))
    if (some.length === 0) return all
    all.push(...some)
  }
}

/** As a person numbers them: 2 before 10. */
const order = new Intl.Collator(undefined, { numeric: true })

function sorted(entries: FileSystemEntry[]): FileSystemEntry[] {
  return entries.sort((one, other) => order.compare(one.name, other.name))
}

export function inOrder(files: readonly File[]): File[] {
  return [...files].sort((one, other) =>
    order.compare(one.webkitRelativePath || one.name, other.webkitRelativePath || other.name),
  )
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((done, fail) => entry.file(done, fail))
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}
