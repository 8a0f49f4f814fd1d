package metrics

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func BenchmarkObservation(b *testing.B) {
	d := NewDurations()
	for b.Loop() {
		d.Answered(250*time.Millisecond, false)
	}
}

func BenchmarkScrape(b *testing.B) {
	handler := Handler(busy())
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	for b.Loop() {
		handler.ServeHTTP(httptest.NewRecorder(), request)
	}
}
