/** Files in one archive, put together as they come. */
import { Zip, ZipDeflate, ZipPassThrough } from 'fflate'

/** A browser holds it in its memory until it is saved. */
export const MOST_BYTES = 2 ** 31

export class TooLarge extends Error {}

export class Archive {
  readonly #parts: BlobPart[] = []
  readonly #zip: Zip
  #bytes = 0
  #failure: Error | null = null

  constructor() {
    this.#zip = new Zip((error, part) => {
      if (error) this.#failure = error
      else {
        this.#parts.push(part as Uint8Array<ArrayBuffer>)
        this.#bytes += part.length
      }
    })
  }

  /** `packed`: it is stored as it is. */
  async add(name: string, file: Blob, packed: boolean): Promise<void> {
    if (this.#bytes + file.size > MOST_BYTES) throw new TooLarge(name)
    const entry = packed ? new ZipPassThrough(name) : new ZipDeflate(name, { level: 6 })
    entry.mtime = new Date()
    this.#zip.add(entry)
    entry.push(new Uint8Array(await file.arrayBuffer()), true)
  }

  blob(): Blob {
    this.#zip.end()
    if (this.#failure) throw this.#failure
    return new Blob(this.#parts, { type: 'application/zip' })
  }
}
