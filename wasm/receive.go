package main

import (
	"iter"
	"strconv"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/handle"
	"github.com/distributed-donut/donut/wasm/wire"
)

// receive answers what a message of the server's says, as JSON.
func receive(message []byte) int32 {
	var o object
	kind := wire.KindOf(message)
	o.text("kind", kind.String())
	var err error
	switch kind {
	case wire.KindWelcome:
		var m wire.Welcome
		m, err = wire.ParseWelcome(message)
		o.number("detail", uint64(m.Detail))
		o.number("threads", uint64(m.Threads))
		o.number("you", uint64(m.You))
		o.handle("handle", m.You)
		o.number("generation", uint64(m.Generation))
		o.signed("now", m.Now)
		o.signed("epoch", m.Epoch)
		o.number("lead", uint64(m.Lead))
		o.hex("digest", m.Digest[:])
	case wire.KindReply:
		var m wire.Reply
		m, err = wire.ParseReply(message)
		o.signed("sent", m.Sent)
		o.signed("received", m.Received)
		o.signed("replied", m.Replied)
		o.number("generation", uint64(m.Generation))
		o.number("verified", m.Verified)
	case wire.KindLease:
		var m wire.Lease
		m, err = wire.ParseLease(message)
		o.number("lease", m.Lease)
		o.number("thread", uint64(m.Thread))
		o.number("detail", uint64(m.Detail))
		o.number("first", m.First)
		o.number("count", uint64(m.Count))
		o.number("within", uint64(m.Within))
	case wire.KindRevoke:
		var m wire.Revoke
		m, err = wire.ParseRevoke(message)
		o.number("lease", m.Lease)
	case wire.KindGoodbye:
		var m wire.Goodbye
		m, err = wire.ParseGoodbye(message)
		o.text("reason", m.Reason.String())
		o.number("retry", uint64(m.Retry))
	case wire.KindBroadcast:
		err = receiveBroadcast(&o, message)
	default:
		err = &wire.SyntaxError{Message: "message", Field: "kind", Got: kind.String(), Want: "one that servers send"}
	}
	if err != nil {
		return refuse(err.Error())
	}
	return o.answer()
}

// receiveBroadcast decodes a broadcast's frames into texts and adds its fields to o.
func receiveBroadcast(o *object, message []byte) error {
	m, err := wire.ParseBroadcast(message)
	if err != nil {
		return err
	}
	text := texts[:0]
	header, err := stream.Decode(m.Stream, func(_ uint64, p *donut.Picture) {
		if p == nil {
			start := len(text)
			text = text[:start+donut.TextSize]
			clear(text[start:])
			return
		}
		text = p.AppendText(text)
	})
	if err != nil {
		return err
	}
	o.number("generation", uint64(m.Generation))
	o.number("number", header.Number)
	o.number("first", header.First)
	o.number("count", uint64(header.Count))
	o.number("size", uint64(len(message)))
	o.open("stats")
	for name, value := range m.Stats.All {
		o.number(name, value)
	}
	o.close()
	o.open("ring")
	o.number("first", m.Ring.First)
	o.runs("runs", m.Ring.Runs)
	o.close()
	o.board("board", m.Board)
	return nil
}

// object is a JSON object in the making, at the front of out.
type object struct {
	size  int
	comma bool
}

func (o *object) put(s string) { o.size += copy(out[o.size:], s) }

func (o *object) name(name string) {
	switch {
	case o.size == 0:
		o.put("{")
	case o.comma:
		o.put(",")
	}
	o.comma = true
	o.put(`"`)
	o.put(name)
	o.put(`":`)
}

// text adds a member. Neither name nor value needs escaping anywhere here.
func (o *object) text(name, value string) {
	o.name(name)
	o.put(`"`)
	o.put(value)
	o.put(`"`)
}

func (o *object) hex(name string, value []byte) {
	o.name(name)
	o.put(`"`)
	o.size = len(appendHex(out[:o.size], value))
	o.put(`"`)
}

// handle adds a member that is the handle of a connection.
func (o *object) handle(name string, number uint32) {
	o.name(name)
	o.put(`"`)
	o.size = len(handle.Append(out[:o.size], number))
	o.put(`"`)
}

// appendHex appends b in hexadecimal to dst.
func appendHex(dst, b []byte) []byte {
	const digits = "0123456789abcdef"
	for _, v := range b {
		dst = append(dst, digits[v>>4], digits[v&15])
	}
	return dst
}

func (o *object) number(name string, value uint64) {
	o.name(name)
	o.size = len(strconv.AppendUint(out[:o.size], value, 10))
}

func (o *object) signed(name string, value int64) {
	o.name(name)
	o.size = len(strconv.AppendInt(out[:o.size], value, 10))
}

// open starts a member that is an object; close ends it.
func (o *object) open(name string) {
	o.name(name)
	o.put("{")
	o.comma = false
}

func (o *object) close() {
	o.put("}")
	o.comma = true
}

// texts adds a member that lists texts, of which none needs escaping.
func (o *object) texts(name string, values iter.Seq[string]) {
	o.name(name)
	o.put("[")
	first := true
	for value := range values {
		if !first {
			o.put(",")
		}
		first = false
		o.put(`"`)
		o.put(value)
		o.put(`"`)
	}
	o.put("]")
}

// runs adds a member that lists [state, owner, count] for each run.
func (o *object) runs(name string, runs []wire.RingRun) {
	o.name(name)
	o.put("[")
	for i, run := range runs {
		if i > 0 {
			o.put(",")
		}
		b := append(out[:o.size], '[')
		b = strconv.AppendUint(b, uint64(run.State), 10)
		b = append(b, ',')
		b = strconv.AppendUint(b, uint64(run.Owner), 10)
		b = append(b, ',')
		b = strconv.AppendUint(b, run.Count, 10)
		b = append(b, ']')
		o.size = len(b)
	}
	o.put("]")
}

// board adds a member that lists an object for each contributor.
func (o *object) board(name string, board []wire.Contributor) {
	o.name(name)
	o.put("[")
	for i, c := range board {
		if i > 0 {
			o.put(",")
		}
		o.put("{")
		o.comma = false
		o.number("owner", uint64(c.Owner))
		o.handle("handle", c.Owner)
		o.number("verified", c.Verified)
		o.close()
	}
	o.put("]")
}

// answer ends the object and returns its length.
func (o *object) answer() int32 {
	o.put("}")
	return int32(o.size)
}
