import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { pdfjsFiles } from './pdfjs.ts'

const server = process.env['SHIZI_SERVER'] ?? 'http://127.0.0.1:8000'

export default defineConfig({
  base: './', // the page lives wherever it is put: all its addresses are relative
  plugins: [vue(), pdfjsFiles()],
  build: {
    outDir: 'dist', // place.mjs takes it from there
    license: { fileName: 'licenses.txt' }, // of the libraries in it, which ask to be named
    target: 'es2022',
    assetsInlineLimit: 0, // the Content-Security-Policy has no data: but for pictures
    chunkSizeWarningLimit: 2500,
  },
  server: {
    proxy: Object.fromEntries(['/v1', '/readyz', '/openapi.json'].map((path) => [path, { target: server }])),
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'], testTimeout: 60_000 },
})
