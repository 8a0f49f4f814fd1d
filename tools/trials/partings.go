package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/distributed-donut/donut/tools/deploy"
)

// What parts servers: one is killed, or NATS is, or one cannot hear NATS any more.
var (
	serverKilled = trial{
		name:     "server-killed",
		about:    "one of three servers is killed, and its viewers come back through nginx",
		duration: time.Minute, size: size{Viewers: 300, Workers: 9},
		setting: setting{servers: 3, flags: func(int, time.Duration) []string {
			return []string{"-trusted-proxies", "127.0.0.1"}
		}},
		play: playServerKilled,
	}
	natsKilled = trial{
		name:     "nats-killed",
		about:    "three servers whose NATS server is killed, for 30 s, and started again",
		duration: 90 * time.Second, size: size{Viewers: 300, Workers: 9}, setting: three,
		play: func(ctx context.Context, s *stage, d time.Duration, f *findings) error {
			return playParted(ctx, s, d, f, 1, s.nats.Stop, s.nats.Restart)
		},
	}
	natsCut = trial{
		name:     "nats-cut",
		about:    "three servers, of which one cannot hear NATS any more, three times, though its connection stands",
		duration: 90 * time.Second, size: size{Viewers: 300, Workers: 9},
		setting: setting{servers: 3, proxy: true},
		play: func(ctx context.Context, s *stage, d time.Duration, f *findings) error {
			part := func() { s.proxy.Swallow(true) }
			join := func() error {
				s.proxy.Swallow(false)
				return nil
			}
			return playParted(ctx, s, d, f, 3, part, join)
		},
	}
)

// playServerKilled has the viewers of the server that is killed be all those who come through nginx, so that what becomes
// of them is apart from what the others see. nginx sends them to the others when the first server does not answer.
func playServerKilled(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	var addrs []string
	for _, one := range s.servers {
		addrs = append(addrs, strings.TrimPrefix(one.url, "http://"))
	}
	nginx, err := deploy.StartNginx("nginx.conf", deploy.Before(addrs...))
	if err != nil {
		return err
	}
	defer nginx.Stop()
	entrance := &door{bin: s.bin, url: nginx.URL(), stderr: s.stderr}
	lost := entrance.begin(ctx, d, s.part(0, "-return")...)
	var others []*crowd
	for i := 1; i < len(s.servers); i++ {
		err = errors.Join(err, wait(ctx, apart))
		others = append(others, s.crowdAt(ctx, i, d-time.Duration(i)*apart))
	}
	err = errors.Join(err, wait(ctx, d*2/5-time.Duration(len(others))*apart), s.kill(0))
	report, lostErr := lost.end()
	spared, sparedErr := endAll(others)
	if err := errors.Join(err, lostErr, sparedErr); err != nil {
		return err
	}
	after, err := s.look(ctx)
	if err != nil {
		return err
	}
	f.unharmed(spared, after)
	f.safe("forged frames seen by those whose server is killed", report["frames_forged_seen"], 0)
	f.safe("returns to a frame from before", report["backward"], 0)
	f.steady("frames missed by them, before and after", report)
	f.exactly("other faults that they found", report["faults"], 0)
	f.tell("viewers that came back", report["returned"])
	f.exactly("viewers that are not back in the end", report["not_back"], 0)
	f.tell("until a picture was there again, ms, p50", report["return_ms_p50"])
	f.atMost("likewise, p99", known(report, "return_ms_p99"), comeBack)
	f.tell("likewise, the last", report["return_ms_p100"])
	f.tell("times that they tried to", report["return_tries"])
	return nil
}

// playParted parts the servers some times for a third of the time in all, and joins them again.
func playParted(
	ctx context.Context, s *stage, d time.Duration, f *findings, times int, part func(), join func() error,
) error {
	crowds := s.crowds(ctx, d)
	var longest time.Duration
	met := 0 // servers that were taken to be there when they could not be heard
	beat := d / time.Duration(3*times+1)
	err := wait(ctx, beat)
	for range times {
		if err != nil {
			break
		}
		part()
		err = wait(ctx, d/time.Duration(3*times))
		for i, one := range s.servers {
			if others := one.log.others(); s.proxy == nil || i == len(s.servers)-1 {
				met += others
			}
		}
		if err = errors.Join(err, join()); err != nil {
			break
		}
		took, wholeErr := s.whole(ctx, time.Now())
		if longest = max(longest, took); errors.Is(wholeErr, errApart) {
			wholeErr = nil // which is a finding
		}
		err = errors.Join(wholeErr, wait(ctx, beat))
	}
	sum, crowdErr := endAll(crowds)
	if err := errors.Join(err, crowdErr); err != nil {
		return err
	}
	after, err := s.look(ctx)
	if err != nil {
		return err
	}
	f.unharmed(sum, after)
	f.exactly("servers that others still counted on when they were parted", float64(met), 0)
	f.atMost("until every server counted on all others again, ms, the longest", longest.Seconds()*1e3, healed)
	f.tell("share of what aired that came from other servers", after.sum("peer_frames")/after.sum("aired_frames"))
	f.tell("share that servers rendered themselves", after.sum("server_frames")/after.sum("aired_frames"))
	return nil
}
