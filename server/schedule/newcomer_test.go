package schedule

import "testing"

// withNewcomers returns a stage with so many trusted threads of connection 1, and newcomers from connection 2 on.
func withNewcomers(t *testing.T, trusted, newcomers int) *stage {
	st := newStage(t, trusted)
	for i := range newcomers {
		st.Offer(uint32(2+i), 1)
	}
	return st
}

// byConn returns how many of the leases each connection holds.
func byConn(leases []Lease) map[uint32]int {
	held := make(map[uint32]int)
	for _, l := range leases {
		held[l.Thread.Conn]++
	}
	return held
}

func TestNewcomersHaveAShareBesideOthers(t *testing.T) {
	st := withNewcomers(t, 1, 20)
	st.sky.beside, st.sky.alone = 1, 100
	if first := st.must(); first.Thread.Conn == 1 || !first.Probation || first.Count != MinChunk {
		t.Errorf("lent %+v first, want the least chunk to a newcomer", first)
	}
	st.sky.beside = 0
	if second := st.must(); second.Thread.Conn != 1 || second.Probation {
		t.Errorf("lent %+v next, want a chunk to the one that is trusted", second)
	}
}

func TestNewcomersHaveTheRestWhereNobodyElseHasTime(t *testing.T) {
	st := withNewcomers(t, 2, 3)
	st.sky.beside, st.sky.alone = 0, 100
	if held := byConn(st.all()); len(held) != 4 || held[1] != 2 {
		t.Errorf("leases by connection are %v, want two of the first and one of each newcomer", held)
	}
	st.sky.alone = 0
	st.Offer(9, 1)
	if l, ok := st.next(); ok {
		t.Errorf("lent %+v although no audits are left for newcomers", l)
	}
}

func TestRestingThreadLeavesTheWorkToNewcomers(t *testing.T) {
	st := withNewcomers(t, 1, 1)
	st.sky.beside = 0
	for range toleratedMisses + 1 {
		st.miss(st.must())
	}
	if l := st.must(); l.Thread.Conn != 2 {
		t.Errorf("lent %+v, want the newcomer while the other rests", l)
	}
}

func TestNewcomerGetsNoMoreThanMayBeLent(t *testing.T) {
	st := withNewcomers(t, 1, 1)
	st.Leave(1)
	first := st.must()
	st.answer(first, ms) // so fast that its chunk would be the greatest
	st.sky.beside, st.sky.alone = 0, 7
	if l := st.must(); l.Count != 7 {
		t.Errorf("lent %d frames, want the 7 that may be", l.Count)
	}
}

// TestNewcomerWhoAnswersStaysInFront has newcomers one after the other become trusted, and not all of them at the same
// late time.
func TestNewcomerWhoAnswersStaysInFront(t *testing.T) {
	st := withNewcomers(t, 1, 5)
	st.Leave(1)
	leases := st.all()
	if held := byConn(leases); len(held) != 5 {
		t.Fatalf("leases by connection are %v, want one each", held)
	}
	for _, l := range leases[1:] {
		st.answer(l, ms)
	}
	second, third := leases[1].Thread.Conn, leases[2].Thread.Conn
	for range 5 {
		l := st.must()
		if l.Thread.Conn != second {
			t.Fatalf("lent to connection %d, want %d again", l.Thread.Conn, second)
		}
		st.answer(l, ms)
	}
	st.Trust(second)
	st.sky.beside = 1
	if l := st.must(); l.Thread.Conn != third || !l.Probation {
		t.Errorf("lent %+v, want the next newcomer once the first is trusted", l)
	}
	st.sky.beside = 0
	if l := st.must(); l.Thread.Conn != second || l.Probation {
		t.Errorf("lent %+v, want the one that is trusted", l)
	}
}

// TestNewcomerWhoAnswersComesBeforeThoseWhoWait has enough frames that nobody was lent, which any newcomer may have.
func TestNewcomerWhoAnswersComesBeforeThoseWhoWait(t *testing.T) {
	for _, beside := range []int{0, 1} {
		st := withNewcomers(t, 1, 5)
		if beside == 0 {
			st.Leave(1)
		}
		st.sky.beside, st.sky.alone = beside, 1
		first := st.must()
		st.answer(first, ms)
		for range 5 {
			l := st.must()
			if l.Thread != first.Thread {
				t.Fatalf("lent %+v, want one to %v, who has answered", l, first.Thread)
			}
			st.answer(l, ms)
		}
		second := st.must()
		if other := st.must(); other.Thread == second.Thread || !other.Probation {
			t.Errorf("lent %+v while who has answered is at work, want another newcomer", other)
		}
	}
}

func TestCrowdOfNewcomersLeavesOthersTheirShare(t *testing.T) {
	st := withNewcomers(t, 1, 500)
	st.sky.beside = 0
	st.answer(st.must(), ms)
	if l := st.must(); l.Count < 100 {
		t.Errorf("lent %d frames to the only one that is trusted, want the share of one", l.Count)
	}
}
