package metrics

import (
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// A collector reads the sources when it is scraped.
type collector struct {
	sources Sources
	descs   []*prometheus.Desc // of families, in their order
	build   prometheus.Metric
}

func newCollector(s Sources) *collector {
	c := &collector{sources: s}
	for _, f := range families {
		var labels []string
		if f.label != "" {
			labels = []string{f.label}
		}
		c.descs = append(c.descs, prometheus.NewDesc(f.name, f.help, labels, nil))
	}
	c.build = prometheus.MustNewConstMetric(prometheus.NewDesc(
		"donut_build_info", "What runs: always 1.", []string{"module_sha256", "version", "goversion"}, nil,
	), gauge, 1, s.ModuleSHA256, version(), runtime.Version())
	return c
}

// version is the server's own, as far as its build noted it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		descs <- d
	}
	descs <- c.build.Desc()
}

// Collect implements prometheus.Collector. It reads each source once, so that what one of them says agrees with itself.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	r := reading{
		playhead: c.sources.Playhead(), fleet: c.sources.Fleet(), hub: c.sources.Hub(),
		terminals: c.sources.Terminals(), plain: c.sources.Turnstile(), module: c.sources.Module(),
	}
	if c.sources.Cluster != nil {
		view := c.sources.Cluster()
		r.cluster = &view
	}
	for i, f := range families {
		for label, value := range f.values(r) {
			var labels []string
			if f.label != "" {
				labels = []string{label}
			}
			metrics <- prometheus.MustNewConstMetric(c.descs[i], f.kind, value, labels...)
		}
	}
	metrics <- c.build
}
