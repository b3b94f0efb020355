// After the build: compresses what is text, and puts dist/ where the server looks for it, all at once.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const TEXT = /\.(css|html|js|json|mjs|svg|txt|wasm)$/
const LEAST = 1024 // bytes; less is not worth a second file

const dist = fileURLToPath(new URL('dist', import.meta.url))
const place = fileURLToPath(new URL('../src/shizi/serving/ui', import.meta.url))

let files = 0
let bytes = 0
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue
  const path = join(entry.parentPath, entry.name)
  const content = readFileSync(path)
  files += 1
  bytes += content.length
  if (TEXT.test(entry.name) && content.length >= LEAST)
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }))
}
rmSync(place, { recursive: true, force: true })
renameSync(dist, place)
console.log(`src/shizi/serving/ui: ${files} files, ${(bytes / 1e6).toFixed(1)} MB`)
