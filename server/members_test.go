package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/cluster"
)

// told returns what of a view stands in /api/stats, and how that is spelled.
func told(t *testing.T, v cluster.View) (own clusterStats, others []memberStats, text string) {
	t.Helper()
	shown, members := showCluster(v)
	b, err := json.Marshal([]any{shown, members})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &[]any{&own, &others}); err != nil {
		t.Fatal(err)
	}
	return own, others, string(b)
}

func TestMembersAreShown(t *testing.T) {
	own, others, text := told(t, cluster.View{
		Name: "this one", Connected: true, Steered: -12_345 * time.Microsecond, Ahead: 1500 * time.Microsecond, Measured: true,
		Members: []cluster.Member{
			{
				Number: 7, Identity: 99, Name: "measured", State: cluster.Alive, Heard: 120*time.Millisecond + 1, Measured: true,
				Offset: -2500 * time.Microsecond, RoundTrip: 300 * time.Microsecond,
				Report: cluster.Report{Capacity: 59.5, Viewers: 3, Workers: 2, Threads: 5},
			},
			{Number: 8, Name: "not measured", State: cluster.CutOff, Why: "frame 7 is forged"},
		},
	})
	if own.Name != "this one" || !own.Connected || own.StaysOut || own.Why != "" || own.LeftOut != 0 ||
		own.Steered != -12.345 || own.Offset == nil || *own.Offset != 1.5 {
		t.Errorf("of this server: %s", text)
	}
	if len(others) != 2 {
		t.Fatalf("%d members are shown, want 2: %s", len(others), text)
	}
	a, b := others[0], others[1]
	if a.Offset == nil || *a.Offset != -2.5 || a.RoundTrip == nil || *a.RoundTrip != 0.3 {
		t.Errorf("of a clock that was measured: %s", text)
	}
	a.Offset, a.RoundTrip = nil, nil
	want := memberStats{Number: 7, Name: "measured", State: "alive", Heard: 120, Capacity: 59.5, Viewers: 3, Workers: 2, Threads: 5}
	if a != want {
		t.Errorf("got %+v, want %+v", a, want)
	}
	if want := (memberStats{Number: 8, Name: "not measured", State: "cut off", Why: "frame 7 is forged"}); b != want {
		t.Errorf("got %+v, want %+v", b, want)
	}
}

func TestWhoStaysOutSaysWhy(t *testing.T) {
	reasons := make(map[string]bool)
	for _, v := range []cluster.View{{}, {Out: true}, {Out: true, ClockOff: true, Measured: true, Ahead: -2 * time.Second}} {
		own, _, text := told(t, v)
		if own.StaysOut != v.Out || (own.Why != "") != v.Out || reasons[own.Why] || (own.Offset != nil) != v.Measured {
			t.Errorf("%+v is told as %s", v, text)
		}
		reasons[own.Why] = true
	}
}

// TestHostileMembersAreContained has whoever is on NATS announce as much as it can: there are only so many bytes, those
// that count are among them, and no text gets out of its quotes.
func TestHostileMembersAreContained(t *testing.T) {
	names := []string{
		`</script><script>alert(1)</script>`, `"},{"name":"forged`, "\u2028\u2029", strings.Repeat("\u0800", 64/3), "\xff\x00", `\`,
	}
	var v cluster.View
	states := []cluster.State{
		cluster.Silent, cluster.OtherModule, cluster.OtherTimeline, cluster.ClockOff, cluster.CutOff, cluster.Alive,
	}
	const each = maxMembersShown / 4
	for i := range len(states) * each {
		v.Members = append(v.Members, cluster.Member{
			Number: uint32(i), Name: names[i%len(names)], State: states[i/each], Why: strings.Repeat("w", 5000),
			Report: cluster.Report{Capacity: math.MaxFloat64, Viewers: 1<<53 - 1}, Heard: time.Duration(math.MaxInt64),
			Measured: true, Offset: time.Duration(math.MinInt64), RoundTrip: time.Duration(math.MaxInt64),
		})
	}
	own, others, text := told(t, v)
	if len(others) != maxMembersShown || own.LeftOut != len(v.Members)-maxMembersShown || len(text) > 100_000 {
		t.Errorf("%d members are shown in %d bytes, and %d are left out", len(others), len(text), own.LeftOut)
	}
	if strings.ContainsAny(text, "<>\u2028\u2029") {
		t.Error("a name may end a script that it is written into")
	}
	var order []string
	for i, m := range others {
		if i == 0 || m.State != others[i-1].State {
			order = append(order, m.State)
		} else if m.Number <= others[i-1].Number {
			t.Errorf("member %d comes after %d", m.Number, others[i-1].Number)
		}
		if was := v.Members[i]; fmt.Sprint(m.Name) != strings.ToValidUTF8(was.Name, "\ufffd") || len(m.Why) > maxWhy {
			t.Errorf("%q comes out as %q, because %q", was.Name, m.Name, m.Why)
		}
	}
	if got := strings.Join(order, ", "); got != "alive, cut off, clock off, other epoch or detail" {
		t.Errorf("in %d places there are %s", maxMembersShown, got)
	}
}
