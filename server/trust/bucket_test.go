package trust

import (
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

const dawn = timeline.Instant(1 << 50)

// spend spends in steps of so much, while there is something left, and returns how much it was.
func spend(b *Budget, now timeline.Instant, step time.Duration) (spent time.Duration) {
	for b.Left(now) {
		b.Spend(now, step)
		spent += step
	}
	return spent
}

func TestBudget(t *testing.T) {
	const step = 125 * time.Millisecond
	b := NewBudget(0.125, 8*time.Second)
	if got := spend(b, dawn, step); got != time.Second {
		t.Errorf("spent %v at first, want the burst of 8 s at 0.125 cores", got)
	}
	if !b.Left(dawn.Add(time.Microsecond)) {
		t.Error("nothing is left although time has passed")
	}
	now := dawn.Add(4 * time.Second)
	if got := spend(b, now, step); got != 500*time.Millisecond {
		t.Errorf("spent %v after 4 s, want 500 ms", got)
	}
	now = now.Add(time.Hour)
	if got := spend(b, now, step); got != time.Second {
		t.Errorf("spent %v after an hour, want no more than the burst", got)
	}
}

func TestBudgetThatIsOverspentRecovers(t *testing.T) {
	b := NewBudget(0.1, 10*time.Second)
	b.Spend(dawn, time.Hour)
	if b.Left(dawn.Add(10*time.Second - time.Millisecond)) {
		t.Error("something is left before the debt is paid")
	}
	if !b.Left(dawn.Add(10*time.Second + time.Millisecond)) {
		t.Error("the debt is greater than the burst")
	}
}

func TestNoBudget(t *testing.T) {
	b := NewBudget(0, 10*time.Second)
	if b.Left(dawn) || b.Left(dawn.Add(time.Hour)) {
		t.Error("something is left of nothing")
	}
}

func TestProbation(t *testing.T) {
	const cost = 10 * time.Millisecond
	p := NewProbation(2) // which save up 2 s of audits alone, 250 ms beside others
	frames := func(now timeline.Instant, beside, alone int) {
		t.Helper()
		if b, a := p.Frames(now, cost); b != beside || a != alone {
			t.Errorf("%v later newcomers may be lent %d frames beside others and %d alone, want %d and %d",
				now.Sub(dawn), b, a, beside, alone)
		}
	}
	frames(dawn, 15, 200) // a quarter of 60 a second, and 2 s of audits
	p.Lend(dawn, 20, cost)
	frames(dawn, 0, 180)
	frames(dawn.Add(time.Second), 10, 200)
	p.Lend(dawn.Add(time.Second), 1000, cost)
	frames(dawn.Add(time.Second), 0, 0)
	frames(dawn.Add(2*time.Second), 0, 0) // the debt is one second's worth
	frames(dawn.Add(2*time.Second+10*time.Millisecond), 1, 2)
	frames(dawn.Add(3*time.Second), 15, 200)
	frames(dawn.Add(time.Hour), 15, 200)
}

func TestProbationOfWhatIsCostlyIsAFrameAtLeast(t *testing.T) {
	p := NewProbation(1)
	if beside, alone := p.Frames(dawn, time.Minute); beside != 1 || alone != 1 {
		t.Errorf("newcomers may be lent %d and %d frames, want 1 and 1", beside, alone)
	}
	p.Lend(dawn, 4, time.Minute)
	if beside, alone := p.Frames(dawn, time.Minute); beside != 0 || alone != 0 {
		t.Errorf("newcomers may be lent %d and %d frames as well, want none", beside, alone)
	}
}

func TestProbationOfWhatCostsNothing(t *testing.T) {
	if beside, alone := NewProbation(1).Frames(dawn, 0); beside != 15 || alone < 100_000 {
		t.Errorf("newcomers may be lent %d and %d frames, want 15 and many", beside, alone)
	}
}
