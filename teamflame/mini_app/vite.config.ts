import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    // The built files are committed, and a check builds them anew: the names must depend on the content only.
    rollupOptions: {
      output: {
        entryFileNames: 'assets/app-[hash].js',
        assetFileNames: 'assets/app-[hash][extname]',
      },
    },
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
});
