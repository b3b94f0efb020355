/** What pdf.js asks for while it renders (fonts, character maps, decoders): served and built from its own package, under `pdfjs/`. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const FOLDERS = ['cmaps', 'iccs', 'standard_fonts', 'wasm']
const SCRIPT = /\.m?js$/

function packed(path: string): Buffer {
  return readFileSync(fileURLToPath(new URL(`node_modules/pdfjs-dist/${path}`, import.meta.url)))
}

function paths(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(new URL(`node_modules/pdfjs-dist/${folder}/`, import.meta.url)).map(
      (name) => `${folder}/${name}`,
    ),
  )
}

export function pdfjsFiles(): Plugin {
  return {
    name: 'pdfjs-files',
    configureServer(server) {
      const known = new Set(paths())
      server.middlewares.use('/pdfjs/', (request, answer, next) => {
        const path = (request.url ?? '').replace(/^\//, '').replace(/\?.*$/, '')
        if (!known.has(path)) return next()
        if (SCRIPT.test(path)) answer.setHeader('Content-Type', 'text/javascript')
        answer.end(packed(path))
      })
    },
    generateBundle() {
      for (const path of paths())
        this.emitFile({ type: 'asset', fileName: `pdfjs/${path}`, source: packed(path) })
    },
  }
}
