package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Durations are histograms of how long things took. It is an orchestrator.Observer. Its methods may be called
// concurrently, allocate nothing and wait for nobody.
type Durations struct {
	onTime, late             prometheus.Observer // of leases
	leases                   *prometheus.HistogramVec
	audits, encodes, fanouts prometheus.Histogram
	trips                    prometheus.Histogram
}

// NewDurations returns histograms without observations. The bounds of their buckets, in seconds, reach from the least
// that is worth telling apart to a little beyond the limit that the server sets.
func NewDurations() *Durations {
	d := &Durations{
		leases: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "donut_lease_duration_seconds",
			Help: "Time from the moment a lease was queued for a tab until its answer, by whether it had ended by then.",
			// The shortest lease lasts 0.1 s and the longest 5 s, and as many as 17 may wait for a thread.
			Buckets: []float64{0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2, 3, 5, 10},
		}, []string{"outcome"}),
		audits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "donut_audit_cpu_seconds",
			Help: "Processor time of an audit, which is of one frame or of a few at once.",
			// A frame takes a fraction of a millisecond at detail 1, and half a second at 32.
			Buckets: []float64{0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1},
		}),
		encodes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "donut_encode_duration_seconds",
			Help: "Time that encoding a message of the stream took.",
			// A message is 60 frames of some 0.1 ms; the loop does nothing else meanwhile.
			Buckets: []float64{0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5},
		}),
		fanouts: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "donut_fanout_duration_seconds",
			Help: "Time from a broadcast until the last connections were handed it, of messages that found any.",
			// At once for a small audience, and a second for a big one; after 2.5 s it is too late for the message.
			Buckets: []float64{0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 0.9, 1, 1.1, 1.25, 1.5, 2, 2.5, 5},
		}),
	}
	d.trips = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "donut_clock_round_trip_seconds",
		Help: "Round trips that tabs measured to set their clocks, by their own word.",
		// From the same machine to a network that is hardly of use: a message goes out 2.5 s before its first frame's moment.
		Buckets: []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 10},
	})
	d.onTime, d.late = d.leases.WithLabelValues("on_time"), d.leases.WithLabelValues("late")
	return d
}

// Answered implements orchestrator.Observer.
func (d *Durations) Answered(took time.Duration, late bool) {
	if late {
		d.late.Observe(took.Seconds())
	} else {
		d.onTime.Observe(took.Seconds())
	}
}

// Audited implements orchestrator.Observer.
func (d *Durations) Audited(spent time.Duration) { d.audits.Observe(spent.Seconds()) }

// Encoded implements orchestrator.Observer.
func (d *Durations) Encoded(took time.Duration) { d.encodes.Observe(took.Seconds()) }

// Served takes note of how long it took to serve a message to everybody; see hub.Config.
func (d *Durations) Served(took time.Duration) { d.fanouts.Observe(took.Seconds()) }

// Probed takes note of a round trip that a tab measured; see hub.Config.
func (d *Durations) Probed(took time.Duration) { d.trips.Observe(took.Seconds()) }

func (d *Durations) collectors() []prometheus.Collector {
	return []prometheus.Collector{d.leases, d.audits, d.encodes, d.fanouts, d.trips}
}
