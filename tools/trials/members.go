package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What servers may be to each other beside equals: one that has no tabs, one that comes later, and one that lies.
var (
	serverIdle = trial{
		name:     "server-idle",
		about:    "three servers of which one has viewers and no tabs: it contributes nothing, and misses nothing",
		duration: time.Minute, size: size{Viewers: 300, Workers: 9}, setting: three, play: playServerIdle,
	}
	serverJoins = trial{
		name:     "server-joins",
		about:    "a fourth server that is given nothing but NATS's address carries its share",
		duration: 2 * time.Minute, size: size{Viewers: 300, Workers: 9}, setting: three, play: playServerJoins,
	}
	serverLies = trial{
		name:     "server-lies",
		about:    "three servers of which one forges a tenth of what it publishes",
		duration: time.Minute, size: size{Viewers: 300, Workers: 9},
		setting: setting{servers: 3, rigged: true, flags: func(i int, _ time.Duration) []string {
			if i == liar {
				return []string{"-rig-forge-every", "10"}
			}
			return nil
		}},
		play: playServerLies,
	}
)

const (
	// idle is the server that has no tabs, and liar the one that lies.
	idle, liar = 2, 2
	// nothing is the share of its frames that a server may render itself for which others render them: their tabs.
	nothing = 0.02
	// ready is how long after it listens a server may take to carry its share, of which fair is the least: chance decides
	// whose each chunk is, and a hundred of them are its, give or take ten.
	ready = 3 * time.Second
	fair  = 0.5
)

// alike are the flags of tabs that are as fast as any others, whatever else the machine does.
var alike = []string{"-frame-time", "5ms"}

func playServerIdle(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	var crowds []*crowd
	for i := range s.servers {
		flags := s.part(i)
		if i == idle {
			flags = append(flags, "-workers", "0")
		}
		crowds = append(crowds, s.servers[i].begin(ctx, d, flags...))
	}
	err := wait(ctx, min(settling, d/2))
	before, beforeErr := s.look(ctx)
	reports, crowdErr := reportsOf(crowds)
	after, afterErr := s.look(ctx)
	if err := errors.Join(err, beforeErr, crowdErr, afterErr); err != nil {
		return err
	}
	grown := after.since(before)
	f.unharmed(sumOf(reports), after)
	f.steady("frames missed by those of the server without tabs", reports[idle])
	f.atMost("share of what it aired that it rendered, after 15 s", grown.share(idle, "server_frames"), nothing)
	f.tell("share of what it aired that came from other servers", grown.share(idle, "peer_frames"))
	for i := range idle {
		f.tell(fmt.Sprintf("share of what it aired that server %d's tabs rendered", i), grown.share(i, "fleet_frames"))
	}
	return nil
}

// playServerJoins has the tabs of the fourth server come when it has found the others: what they can do is not known then,
// and nothing of the ring is left for them to show it. What is published tells who renders what.
func playServerJoins(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	heard, err := listen(s.nats.URL())
	if err != nil {
		return err
	}
	defer heard.close()
	crowds := s.crowds(ctx, d, alike...)
	err = wait(ctx, d/4)
	if err == nil {
		err = s.add(ctx, newServer(s.bin, program, s.stderr, nil), s.nats.URL())
	}
	if err != nil {
		return err
	}
	listens := time.Now()
	found, err := s.whole(ctx, listens)
	if err != nil {
		return err
	}
	fourth := len(s.servers) - 1
	s.size.Workers = s.size.Workers * len(s.servers) / fourth // as many for each as before
	crowds = append(crowds, s.crowdAt(ctx, fourth, d*3/4-found-time.Second, alike...))
	err = wait(ctx, ready-time.Since(listens))
	stats, statsErr := s.statsAfter(ctx, 0)
	sum, crowdErr := endAll(crowds)
	if err := errors.Join(err, statsErr, crowdErr); err != nil {
		return err
	}
	after, err := s.look(ctx)
	if err != nil {
		return err
	}
	name := s.servers[fourth].name
	identity := s.log.identity(name)
	first := uint64(stats["frame"]) + ahead // what came into the rings before belongs to somebody
	own, all := heard.since(first, identity)
	f.unharmed(sum, after)
	f.tell("until all servers counted on each other, ms", found.Seconds()*1e3)
	f.tell("chunks published of what came into the rings 3 s after it listened, or later", float64(all))
	f.atLeast("those of the fourth server / an equal share", float64(own)/(float64(all)/float64(len(s.servers))), fair)
	f.tell("chunks that two servers published", float64(heard.twice()))
	return nil
}

// playServerLies has the liar's viewers be there too: what it shows them is true.
func playServerLies(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	start := time.Now()
	crowds := s.crowds(ctx, d)
	sum, err := endAll(crowds)
	if err != nil {
		return err
	}
	after, err := s.look(ctx)
	if err != nil {
		return err
	}
	name := s.servers[liar].name
	cuts, last := 0, time.Duration(0)
	for _, one := range s.servers {
		if at, ok := one.log.cut(name); ok {
			cuts++
			last = max(last, at.Sub(start))
		}
	}
	f.unharmed(sum, after)
	f.exactly("servers that cut the liar off", float64(cuts), float64(len(s.servers)-1))
	f.tell("until the last one did, ms after the crowds began to come", last.Seconds()*1e3)
	f.tell("forged frames that servers found", after.sum("forged_frames"))
	f.tell("tabs evicted", after.sum("evictions"))
	return nil
}
