package wire

import "testing"

// BenchmarkParse parses a message of each kind with every field set, and benchmark names are the kinds'.
func BenchmarkParse(b *testing.B) {
	for _, l := range layouts {
		b.Run(l.kind.String(), func(b *testing.B) {
			message := l.message.Append(nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.parse(message); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
