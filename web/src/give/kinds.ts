/** What a file is, from its first bytes: names and media types are not looked at, as on the server. */
import type { Entry } from '../documents/types'

export type Kind = Entry['kind']

/** A PDF may have this many bytes before its own first ones. */
const PDF_JUNK = 1024
const IMAGES: readonly (readonly number[])[] = [
  [0xff, 0xd8, 0xff], // JPEG
  [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], // PNG
  [0x42, 0x4d], // BMP
]
const TIFF: readonly (readonly number[])[] = [
  [0x49, 0x49, 0x2a, 0x00],
  [0x4d, 0x4d, 0x00, 0x2a],
  [0x49, 0x49, 0x2b, 0x00], // BigTIFF
  [0x4d, 0x4d, 0x00, 0x2b],
]

/** null: nothing that the server reads. "other" is what it reads and a browser cannot show: TIFF. */
export function kindOf(head: Uint8Array): Kind | null {
  if (IMAGES.some((magic) => starts(head, magic)) || isWebp(head)) return 'image'
  if (TIFF.some((magic) => starts(head, magic))) return 'other'
  return ascii(head.subarray(0, PDF_JUNK + 5)).includes('%PDF-') ? 'pdf' : null
}

export async function kindOfFile(file: Blob): Promise<Kind | null> {
  return kindOf(new Uint8Array(await file.slice(0, PDF_JUNK + 5).arrayBuffer()))
}

function starts(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte)
}

function isWebp(head: Uint8Array): boolean {
  return ascii(head.subarray(0, 4)) === 'RIFF' && ascii(head.subarray(8, 12)) === 'WEBP'
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
