// Package metrics tells Prometheus how the server does.
//
// What the server counts anyway is read when somebody asks, by a collector: no counter is kept twice, and nobody pays
// for one that is not scraped. How long things take has to be noted when it happens, in the histograms of a Durations.
//
// Names follow Prometheus' conventions: seconds and bytes, and counters that end in _total. Labels have few values, all
// of them known beforehand: nothing that a stranger sends becomes one.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/distributed-donut/donut/server/cluster"
	"github.com/distributed-donut/donut/server/hub"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/terminal"
	"github.com/distributed-donut/donut/server/turnstile"
	"github.com/distributed-donut/donut/server/verify"
)

// Sources are what the series are read from, whenever they are scraped. All but Cluster must be set; they are called
// concurrently.
type Sources struct {
	Playhead  func() uint64 // the number of the frame that is on screen
	Fleet     func() *orchestrator.Snapshot
	Hub       func() *hub.Stats
	Terminals func() terminal.Snapshot
	Turnstile func() turnstile.Stats
	Module    func() verify.Stats
	Cluster   func() cluster.View // nil where the server is alone: then there are no series of it
	Durations *Durations

	ModuleSHA256 string // in hexadecimal
}

// Handler answers scrapes, in whichever of Prometheus' formats is asked for. It panics where two series have one name.
func Handler(s Sources) http.Handler {
	return promhttp.HandlerFor(newRegistry(s), promhttp.HandlerOpts{})
}

// newRegistry returns a registry of our own: in the global one, any package that is linked in could add series.
func newRegistry(s Sources) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(s))
	registry.MustRegister(s.Durations.collectors()...)
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}
