import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [vue(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: '../src/logvision/web/static',
    emptyOutDir: true,
    // The page's content security policy allows no data: addresses.
    assetsInlineLimit: 0,
    // ECharts is one lazily loaded chunk of about this size.
    chunkSizeWarningLimit: 700,
    reportCompressedSize: true,
  },
  server: { proxy: { '/api': process.env.LOGVISION_API ?? 'http://127.0.0.1:8790' } },
})
