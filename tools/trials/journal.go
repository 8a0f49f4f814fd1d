package main

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// An entry is a line of a server's log: what trials read of it.
type entry struct {
	Level, Msg string
	Addr       string // where it listens
	Admin      string `json:"admin_addr"`
	// Of another server. One that starts again has its name, and another identity.
	Name, Identity, State string

	Frames int // of a race, so far
}

// The messages about other servers.
const (
	standing = "a server of the cluster"
	cutOff   = "a server is cut off"
	racing   = "racing" // of a server that is rigged
)

// The states of a server, to another one: they work together, or it lied.
const (
	alive = "alive"
	shut  = "cut off"
)

// A lap is how far a race had come at a moment.
type lap struct {
	at     time.Time
	frames int
}

// A journal is what a server's log says of the others. It may be written and read concurrently.
type journal struct {
	mu     sync.Mutex
	states map[string]string    // by identity
	names  map[string]string    // likewise
	cuts   map[string]time.Time // when they were cut off, by name
	laps   []lap                // of a race
}

func (j *journal) take(e entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch e.Msg {
	case standing:
		if j.states == nil {
			j.states, j.names, j.cuts = make(map[string]string), make(map[string]string), make(map[string]time.Time)
		}
		j.names[e.Identity] = e.Name
		if j.states[e.Identity] = e.State; e.State == shut {
			j.cuts[e.Name] = time.Now()
		}
	case racing:
		j.laps = append(j.laps, lap{time.Now(), e.Frames})
	}
}

// others is how many servers this one works with.
func (j *journal) others() (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, state := range j.states {
		if state == alive {
			n++
		}
	}
	return n
}

// identity returns that of the server of a name, or 0 for none.
func (j *journal) identity(name string) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	for identity, its := range j.names {
		if its == name {
			n, _ := strconv.ParseUint(identity, 16, 64) // it is 0 where that is none
			return n
		}
	}
	return 0
}

// pace returns how many frames a second a race has made since some moment; 0 where it has stood still.
func (j *journal) pace(since time.Time) float64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := slices.IndexFunc(j.laps, func(l lap) bool { return l.at.After(since) })
	if first < 0 || first == len(j.laps)-1 {
		return 0
	}
	from, to := j.laps[first], j.laps[len(j.laps)-1]
	return float64(to.frames-from.frames) / to.at.Sub(from.at).Seconds()
}

// cut returns when a server was cut off, and whether it was.
func (j *journal) cut(name string) (at time.Time, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	at, ok = j.cuts[name]
	return at, ok
}
