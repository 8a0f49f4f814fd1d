package orchestrator

import (
	"testing"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

// A diary is an observer that remembers.
type diary struct {
	onTime, late     []time.Duration
	audits, messages int
	audited          time.Duration
}

func (d *diary) Answered(took time.Duration, late bool) {
	if late {
		d.late = append(d.late, took)
	} else {
		d.onTime = append(d.onTime, took)
	}
}

func (d *diary) Audited(spent time.Duration) {
	d.audits++
	d.audited += spent
}

func (d *diary) Encoded(took time.Duration) {
	if took > 0 {
		d.messages++
	}
}

// TestObserverIsToldWhatThingsTake has a member whose first answer comes after its lease has run out, beside one that
// is quick.
func TestObserverIsToldWhatThingsTake(t *testing.T) {
	d := new(diary)
	w := newWorld(t, func(cfg *Config) { cfg.Observer = d })
	answers := 0
	answered := func(wire.Result) { answers++ }
	quick := w.join(1, func(m *member) { m.answered = answered })
	w.run(10 * time.Second)
	if len(d.onTime) == 0 {
		t.Fatal("told of no answer in time")
	}
	for _, took := range d.onTime {
		if took < quick.rtt || took > time.Second {
			t.Fatalf("told that an answer took %v, over a way of %v", took, quick.rtt)
		}
	}
	if w.core.counts.missed != 0 {
		t.Fatalf("%d leases have run out of a member that is quick", w.core.counts.missed)
	}

	overtaken := len(d.late) // by the server, which renders the first frames itself
	var work time.Duration   // of the first lease
	w.join(1, func(m *member) {
		m.answered, m.perFrame = answered, time.Second
		m.lent = func(frames int) {
			if m.leases == 1 {
				work = time.Duration(frames)*m.perFrame + m.rtt
			}
		}
	})
	for end := w.now.Add(10 * time.Second); len(d.late) == overtaken && w.now < end; {
		w.run(tickPeriod)
	}
	if w.core.counts.missed == 0 {
		t.Error("no lease has run out of a member that is slow")
	}
	if late := d.late[overtaken:]; len(late) != 1 || late[0] != work {
		t.Errorf("told of late answers after %v, want one after %v", late, work)
	}
	if told := len(d.onTime) + len(d.late); told != answers {
		t.Errorf("told of %d answers, want %d", told, answers)
	}

	if d.audits == 0 || d.audited != w.core.counts.auditTime {
		t.Errorf("told of %d audits of %v, want %v", d.audits, d.audited, w.core.counts.auditTime)
	}
	if d.messages != len(w.messages) {
		t.Errorf("told of %d messages, want %d", d.messages, len(w.messages))
	}
}
