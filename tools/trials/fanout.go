package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// fanouts are trials of what an audience costs.
var fanouts = []trial{
	fanout{
		name: "fanout", about: "5,000 viewers: what each costs, beside a bare loop that writes as much to as many sockets",
		viewers: 5000, baseline: true, maxRatio: 1.3, maxViewer: 16,
	}.trial(),
	fanout{name: "crowd", about: "9,000 viewers for a minute", viewers: 9000}.trial(),
}

// A fanout is a stream to many viewers.
type fanout struct {
	name, about string
	viewers     int     // unless another number is chosen
	baseline    bool    // whether to play the bare loop too
	maxRatio    float64 // of the server's processor time to the loop's
	maxViewer   float64 // how much memory a viewer may cost the server's process, in KiB; 0 where that is only told
}

const (
	// peerFrame is what a frame of the same picture takes on the wire in the peer's stream, in bytes.
	peerFrame = 183.6
	// minSaving is how many times fewer bytes a frame is to take.
	minSaving = 2.7
)

func (o fanout) trial() trial {
	return trial{name: o.name, about: o.about, duration: 2 * time.Minute, size: size{Viewers: o.viewers}, play: o.play}
}

// play has a small crowd watch for a quarter of the time, and the big one join it. Once it has settled, what the server
// takes more is the audience's.
func (o fanout) play(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	few := s.begin(ctx, d, "-workers", "3", "-viewers", "20")
	err := wait(ctx, d/8)
	calm, calmErr := s.cores(ctx, d/8)
	empty, emptyErr := s.memory()
	many := s.begin(ctx, d*3/4-5*time.Second, "-workers", "0", "-viewers", strconv.Itoa(s.size.Viewers))
	err = errors.Join(err, wait(ctx, d/4))
	before, beforeErr := s.statsAfter(ctx, 0)
	start := time.Now()
	busy, busyErr := s.cores(ctx, d/4)
	after, afterErr := s.statsAfter(ctx, 0)
	measured := time.Since(start)
	full, fullErr := s.memory()
	audience, manyErr := many.end()
	crowd, fewErr := few.end()
	err = errors.Join(err, calmErr, emptyErr, beforeErr, busyErr, afterErr, fullErr, manyErr, fewErr)
	if err != nil {
		return err
	}
	perSecond := (streamSize(after) - streamSize(before)) / measured.Seconds()
	viewers := float64(s.size.Viewers)
	f.tell("viewers", audience["viewers"])
	f.believed(crowd)
	f.safe("forged frames seen by viewers", audience["frames_forged_seen"], 0)
	f.exactly("frames missed by viewers", audience["frames_missed"]+crowd["frames_missed"], 0)
	f.exactly("other faults that they found", audience["faults"]+crowd["faults"], 0)
	f.tell("first frame after, ms, p99", audience["first_frame_ms_p99"])
	f.tell("bytes a second to each", perSecond)
	f.atLeast("times fewer bytes a frame than the peer's stream", peerFrame*60/perSecond, minSaving)
	f.tell("server's cores with 20 viewers", calm)
	f.tell("server's cores more for each 1,000", (busy-calm)*1000/viewers)
	if memory := (full - empty) / viewers / 1024; o.maxViewer > 0 {
		f.atMost("server's memory more for each, KiB", memory, o.maxViewer)
	} else {
		f.tell("server's memory more for each, KiB", memory)
	}
	if !o.baseline {
		return nil
	}
	bare, err := playLoop(ctx, s.size.Viewers, int(perSecond), d/4, s.stderr)
	if err != nil {
		return err
	}
	f.tell("a bare loop's cores for each 1,000", bare*1000/viewers)
	f.atMost("server's cores for the audience / the loop's", (busy-calm)/bare, o.maxRatio)
	return nil
}

// streamSize returns how many bytes one viewer has been sent of the stream, by the server's statistics.
func streamSize(stats map[string]float64) float64 {
	return stats["bytes_per_frame"] * stats["aired_frames"]
}

// loopParts is in how many parts of a second the bare loop writes.
const loopParts = 50

// playLoop writes so many bytes a second to so many sockets, each in one write, for so long, and returns how many cores
// that takes this process. Another one reads.
func playLoop(ctx context.Context, sockets, size int, d time.Duration, stderr io.Writer) (cores float64, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	readers := exec.CommandContext(ctx, self, readersCommand, listener.Addr().String(), strconv.Itoa(sockets))
	readers.Stderr = stderr
	hold, err := readers.StdinPipe()
	if err != nil {
		return 0, err
	}
	if err := readers.Start(); err != nil {
		return 0, fmt.Errorf("start readers: %w", err)
	}
	defer func() {
		hold.Close() // ends them
		err = errors.Join(err, readers.Wait())
	}()
	all := make([]net.Conn, sockets)
	for i := range all {
		if all[i], err = listener.Accept(); err != nil {
			return 0, err
		}
		defer all[i].Close()
	}

	message := make([]byte, size)
	tick := time.NewTicker(time.Second / loopParts)
	defer tick.Stop()
	before, err := processorTime(os.Getpid())
	start := time.Now()
	for part := 0; err == nil && (part%loopParts != 0 || time.Since(start) < d); part++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
		for i := part % loopParts; i < len(all); i += loopParts {
			if _, err := all[i].Write(message); err != nil {
				return 0, err
			}
		}
	}
	if err != nil {
		return 0, err
	}
	after, err := processorTime(os.Getpid())
	return (after - before).Seconds() / time.Since(start).Seconds(), err
}

// readersCommand in the place of the arguments makes this program the readers of the bare loop: it connects so many times
// to an address, and reads until its standard input ends.
const readersCommand = "-readers-of-the-loop"

func runReaders(args []string, stdin io.Reader) error {
	if len(args) != 2 {
		return fmt.Errorf("got %d arguments, want an address and a number", len(args))
	}
	sockets, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	var reading sync.WaitGroup
	defer reading.Wait()
	for range sockets {
		conn, err := net.Dial("tcp", args[0])
		if err != nil {
			return err
		}
		defer conn.Close()
		reading.Go(func() { io.Copy(io.Discard, conn) }) // until either end closes
	}
	io.Copy(io.Discard, stdin)
	return nil
}
