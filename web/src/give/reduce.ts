/** A smaller picture of an image, for the first answer. */

export const REDUCED_SIDE = 1024
const QUALITY = 0.8

export interface Reduced {
  readonly blob: Blob
  /** Of the original, upright as its EXIF block says, as the server counts it. */
  readonly width: number
  readonly height: number
}

/** null: the image is small already, or the browser cannot decode it (the server says what is wrong with it). */
export async function reduced(file: Blob): Promise<Reduced | null> {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    return null
  }
  try {
    const { width, height } = bitmap
    const size = reducedSize(width, height)
    if (size === null) return null
    const canvas = document.createElement('canvas')
    canvas.width = size.width
    canvas.height = size.height
    const context = canvas.getContext('2d', { alpha: false })
    if (!context) return null
    context.fillStyle = 'white' // what is transparent is paper
    context.fillRect(0, 0, size.width, size.height)
    context.imageSmoothingQuality = 'high'
    context.drawImage(bitmap, 0, 0, size.width, size.height)
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', QUALITY))
    return blob && { blob, width, height }
  } finally {
    bitmap.close()
  }
}

/** null: its longest side is short enough. */
export function reducedSize(width: number, height: number): { width: number; height: number } | null {
  const longest = Math.max(width, height)
  if (longest <= REDUCED_SIDE) return null
  const factor = REDUCED_SIDE / longest
  return {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  }
}
