package codec

import (
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
)

const (
	benchMessage = 60 // frames
	benchGroups  = 3
)

// benchFrames is a few whole groups of the donut.
func benchFrames() (messages [][]*donut.Picture) {
	c := donutFrames()
	for first := uint64(0); first < benchGroups*KeyInterval; first += benchMessage {
		messages = append(messages, frames(c, first, benchMessage, nil))
	}
	return messages
}

func perFrame(b *testing.B, size, count int) {
	b.ReportMetric(float64(size)/float64(count), "bytes/frame")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(count), "ns/frame")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkEncode(b *testing.B) {
	messages := benchFrames()
	buffer := make([]byte, 0, 2*MaxMessage)
	var e Encoder
	var size, count int
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		fs := messages[i%len(messages)]
		buffer = e.Append(buffer[:0], uint64(i*benchMessage), fs, i*benchMessage%KeyInterval == 0)
		size, count = size+len(buffer), count+len(fs)
	}
	perFrame(b, size, count)
}

func BenchmarkDecode(b *testing.B) {
	var messages [][]byte
	var e Encoder
	for i, fs := range benchFrames() {
		messages = append(messages, e.Append(nil, uint64(i*benchMessage), fs, i*benchMessage%KeyInterval == 0))
	}
	var d Decoder
	var size, count int
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(messages) == 0 {
			d.number, d.next = 0, 0 // around again
		}
		message := messages[i%len(messages)]
		h, err := d.Decode(message, nil)
		if err != nil {
			b.Fatal(err)
		}
		size, count = size+len(message), count+h.Count
	}
	perFrame(b, size, count)
}
