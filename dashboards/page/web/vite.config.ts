import { defineConfig } from "vite";

// The page is embedded into the program: see ../assets.go.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy allows files, not data
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/page/api": "http://127.0.0.1:8080" } },
});
