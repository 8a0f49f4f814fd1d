package main

import (
	"fmt"
	"net/url"
	"os"
	"time"
)

// A recorder keeps a stream in a recording. It is not safe for concurrent use.
type recorder struct {
	file     *os.File
	begun    time.Time
	messages int    // kept, whole
	buffer   []byte // of the last record
}

// newRecorder begins a recording in a file that must be new or empty. The caller must call finish.
func newRecorder(name string, h header, begun time.Time) (_ *recorder, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("-record: %w", err)
		}
	}()
	if err := h.validate(); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	if err := lock(file); err != nil {
		return nil, fmt.Errorf("%s: is another framecheck writing to it? %w", name, err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if size := info.Size(); size > 0 {
		return nil, fmt.Errorf("%s: got a file of %d bytes, want a new or an empty one: nothing is written over", name, size)
	}
	if _, err := file.Write(h.append(nil)); err != nil {
		return nil, err
	}
	return &recorder{file: file, begun: begun}, nil
}

// keep appends a message of 1 to maxMessage bytes, which the system has when this returns: no end of this program takes it
// away again.
func (r *recorder) keep(message []byte) error {
	r.buffer = record{time.Since(r.begun), message}.append(r.buffer[:0])
	if _, err := r.file.Write(r.buffer); err != nil {
		return fmt.Errorf("-record: %w", err)
	}
	r.messages++
	return nil
}

// finish closes the file. It returns err, which ended the recording, with what has been kept nevertheless; or the error of
// closing.
func (r *recorder) finish(err error) error {
	if closeErr := r.file.Close(); err == nil && closeErr != nil {
		return fmt.Errorf("-record: %w", closeErr)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n%s is a valid recording of what came: messages: %d", err, r.file.Name(), r.messages)
}

// publicURL is a server's URL without what may be secret in it.
func publicURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}
