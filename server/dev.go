package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
)

// pageIn returns the folder that holds the page's files, for whoever works on them. The error says that it does not.
func pageIn(folder string) (fs.FS, error) {
	page := os.DirFS(folder)
	if _, err := fs.Stat(page, "index.html"); err != nil {
		return nil, fmt.Errorf("got %q, want the folder of the page, as in web/static: %w", folder, err)
	}
	return page, nil
}

// asOnDisk serves the page's files as they are at the moment, without editions, and has nobody keep them: a reload shows
// what was just written.
func asOnDisk(page fs.FS) http.Handler {
	files := http.FileServerFS(page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		for _, condition := range []string{"If-Modified-Since", "If-None-Match"} {
			r.Header.Del(condition) // of what a browser has kept of a server that was not for development
		}
		files.ServeHTTP(w, r)
	})
}
