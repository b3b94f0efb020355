import { describe, expect, it } from 'vitest'
import { kindOf, kindOfFile } from './kinds'

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

describe('kindOf', () => {
  it.each([
    ['JPEG', '\xff\xd8\xff\xe0', 'image'],
    ['PNG', '\x89PNG\r\n\x1a\n', 'image'],
    ['BMP', 'BM\x00\x00', 'image'],
    ['WebP', 'RIFF\x24\x00\x00\x00WEBPVP8 ', 'image'],
    ['TIFF, little-endian', 'II*\0', 'other'],
    ['TIFF, big-endian', 'MM\0*', 'other'],
    ['BigTIFF', 'II+\0', 'other'],
    ['PDF', '%PDF-1.7', 'pdf'],
    ['PDF with junk before it', `${'x'.repeat(1024)}%PDF-1.4`, 'pdf'],
    ['PDF too far away', `${'x'.repeat(1030)}%PDF-1.4`, null],
    ['a sound', 'RIFF\x24\x00\x00\x00WAVEfmt ', null],
    ['a GIF', 'GIF89a', null],
    ['text', 'hello', null],
    ['nothing', '', null],
  ])('%s', (_, head, kind) => {
    expect(kindOf(bytes(head))).toBe(kind)
  })

  it('looks at no name', async () => {
    expect(await kindOfFile(new File([bytes('%PDF-1.7') as BlobPart], 'photo.jpg'))).toBe('pdf')
    expect(await kindOfFile(new File(['text'], 'scan.pdf'))).toBeNull()
  })
})
