package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// A share is what an engine has rendered of some shards.
type share struct {
	name   string
	frames int
	hash   []byte // of the digests of its shards, one after the other
}

// shares returns what the ledger holds of the shards: those engines first that have the most.
func (l *ledger) shares(shards []shard) []share {
	digests := make(map[string][]byte)
	frames := make(map[string]int)
	for _, s := range shards {
		seen := make(map[string]bool)
		for _, e := range l.entries[s] {
			name := e.name()
			if !seen[name] {
				seen[name] = true
				digests[name] = append(digests[name], e.SHA256[:]...)
				frames[name] += s.Count
			}
		}
	}
	var all []share
	for name, d := range digests {
		hash := sha256.Sum256(d)
		all = append(all, share{name, frames[name], hash[:]})
	}
	slices.SortFunc(all, func(a, b share) int {
		if a.frames != b.frames {
			return b.frames - a.frames
		}
		return strings.Compare(a.name, b.name)
	})
	return all
}

// summarize writes who agrees, on what. All entries have been compared.
func (a *accountant) summarize(w io.Writer) error {
	total := 0
	for _, s := range a.shards {
		total += s.Count
	}
	all := a.book.shares(a.shards)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "engine\tframes\tSHA-256 of the shards' SHA-256")
	whole := 0
	for _, s := range all {
		hash := "the same, as far as it goes"
		if s.frames == total {
			hash = fmt.Sprintf("%x", s.hash)
			whole++
		}
		fmt.Fprintf(table, "%s\t%d\t%s\n", s.name, s.frames, hash)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	verdict := fmt.Sprintf("%d engines agree", whole)
	if whole < len(all) {
		verdict += fmt.Sprintf(", %d more as far as they go", len(all)-whole)
	}
	_, err := fmt.Fprintf(w, "%d frames from %d on at detail %d: %s\n", total, a.shards[0].First, a.shards[0].Detail, verdict)
	return err
}
