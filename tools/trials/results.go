package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
)

// results are findings in a file, a JSON object a line, so that a long run can go on where it was stopped. Its methods
// may be called concurrently.
type results struct {
	mu   sync.Mutex
	file *os.File // nil where nothing is kept
	all  []findings
}

// openResults reads the file and goes on at its end. A last line that is not whole was being written when the run was
// stopped, and is dropped. The caller must close the results.
func openResults(name string) (*results, error) {
	r := &results{}
	if name == "" {
		return r, nil
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("open results: %w", err)
	}
	r.file = file
	if err := r.read(); err != nil {
		file.Close()
		return nil, fmt.Errorf("read results of %s: %w", name, err)
	}
	return r, nil
}

func (r *results) read() error {
	content, err := io.ReadAll(r.file)
	if err != nil {
		return err
	}
	whole := content[:bytes.LastIndexByte(content, '\n')+1]
	for number, line := range bytes.Split(whole, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var f findings
		if err := json.Unmarshal(line, &f); err != nil || f.Trial == "" {
			return fmt.Errorf("line %d: got %.40q, want the findings of a trial", number+1, line)
		}
		r.all = append(r.all, f)
	}
	if err := r.file.Truncate(int64(len(whole))); err != nil {
		return err
	}
	_, err = r.file.Seek(int64(len(whole)), io.SeekStart)
	return err
}

// find returns the findings of a trial that lasted as long and was as big.
func (r *results) find(t trial) (findings, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.all {
		if f.Trial == t.name && f.Duration == t.duration && f.Size == t.size {
			return f, true
		}
	}
	return findings{}, false
}

func (r *results) add(f findings) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, f)
	if r.file == nil {
		return nil
	}
	if err := f.writeJSON(r.file); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

func (r *results) close() {
	if r.file != nil {
		r.file.Close()
	}
}
