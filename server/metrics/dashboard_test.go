package metrics

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A dashboard is what the test looks at of Grafana's.
type dashboard struct {
	Templating struct {
		List []struct{ Name, Definition string }
	}
	Panels []panel
}

type panel struct {
	ID          int
	Type, Title string
	Description string
	GridPos     struct{ X, Y, W, H int }
	Targets     []target
	FieldConfig struct{ Defaults struct{ Unit string } }
}

type target struct{ Expr, LegendFormat, RefID string }

var (
	matchers = regexp.MustCompile(`\{([^}]*)\}`)
	matcher  = regexp.MustCompile(`(\w+)(=~|!~|!=|=)"([^"]*)"`)
	ranges   = regexp.MustCompile(`\[[^\]]*\]`)
	groups   = regexp.MustCompile(`\b(?:by|without)\s*\(([^)]*)\)`)
	choices  = regexp.MustCompile(`label_values\((\w+),`)
	legends  = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
	words    = regexp.MustCompile(`[a-zA-Z_:][\w:]*\b(\s*\()?`)
)

// ofPrometheus are labels that a scrape adds.
var ofPrometheus = []string{"instance", "job"}

// metricsOf returns the names in an expression that are no function's, and the labels that it groups by.
func metricsOf(expr string) (names, grouped []string) {
	for _, g := range groups.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			grouped = append(grouped, strings.TrimSpace(label))
		}
	}
	bare := ranges.ReplaceAllString(matchers.ReplaceAllString(groups.ReplaceAllString(expr, ""), ""), "")
	for _, word := range words.FindAllString(bare, -1) {
		if !strings.HasSuffix(word, "(") {
			names = append(names, word)
		}
	}
	return names, grouped
}

// exposed returns the labels of each metric of a scrape, and their values.
func exposed(text string) map[string]map[string][]string {
	metrics := make(map[string]map[string][]string)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line[:strings.LastIndexByte(line, ' ')], "{")
		if metrics[name] == nil {
			metrics[name] = make(map[string][]string)
		}
		for _, label := range matcher.FindAllStringSubmatch(rest, -1) {
			metrics[name][label[1]] = append(metrics[name][label[1]], label[3])
		}
	}
	return metrics
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	file, err := os.ReadFile("../../tools/grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDashboardShowsWhatThereIs holds each expression against a scrape: its metrics, the labels that it selects and
// groups by, and those that its legend names.
func TestDashboardShowsWhatThereIs(t *testing.T) {
	there := exposed(scrape(t, busy()))
	shown := make(map[string]bool)
	d := readDashboard(t)
	for _, variable := range d.Templating.List {
		if m := choices.FindStringSubmatch(variable.Definition); m != nil && there[m[1]] == nil {
			t.Errorf("variable %q: there is no %s", variable.Name, m[1])
		}
	}
	for _, p := range d.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, q := range p.Targets {
			names, grouped := metricsOf(q.Expr)
			if len(names) == 0 {
				t.Errorf("panel %q: %s names no metric", p.Title, q.Expr)
			}
			for _, name := range names {
				shown[name] = true
				labels, ok := there[name]
				if !ok {
					t.Errorf("panel %q: there is no %s", p.Title, name)
				}
				for _, label := range grouped {
					if labels[label] == nil && !slices.Contains(ofPrometheus, label) {
						t.Errorf("panel %q: %s has no label %s", p.Title, name, label)
					}
				}
				for _, m := range matcher.FindAllStringSubmatch(q.Expr, -1) {
					if m[2] == "=" && len(names) == 1 && !slices.Contains(labels[m[1]], m[3]) {
						t.Errorf("panel %q: %s has no series with %s", p.Title, name, m[0])
					}
				}
			}
			for _, label := range legends.FindAllStringSubmatch(q.LegendFormat, -1) {
				if !slices.Contains(grouped, label[1]) {
					t.Errorf("panel %q: the legend %q names a label that %s does not keep", p.Title, q.LegendFormat, q.Expr)
				}
			}
		}
	}
	for _, f := range families {
		if f.kind == counter && !shown[f.name] && !slices.Contains(unshown, f.name) {
			t.Errorf("no panel shows %s", f.name)
		}
	}
}

// unshown are counters that no panel shows: they are for looking closer.
var unshown = []string{
	"donut_module_frames_total", "donut_module_instances_started_total", "donut_module_instances_condemned_total",
	"donut_terminal_streams_opened_total", "donut_recordings_total",
}

// TestDashboardIsLaidOut has no panel hide another one or want for a unit, a title or an explanation.
func TestDashboardIsLaidOut(t *testing.T) {
	const columns = 24
	taken := make(map[[2]int]string)
	ids := make(map[int]string)
	for _, p := range readDashboard(t).Panels {
		if other, twice := ids[p.ID]; twice {
			t.Errorf("panels %q and %q are both number %d", other, p.Title, p.ID)
		}
		ids[p.ID] = p.Title
		if p.Title == "" || p.Type != "row" && (p.Description == "" || p.FieldConfig.Defaults.Unit == "") {
			t.Errorf("panel %d, %q, lacks a title, an explanation or a unit", p.ID, p.Title)
		}
		if at := p.GridPos; at.X < 0 || at.W < 1 || at.H < 1 || at.X+at.W > columns {
			t.Errorf("panel %q is %d wide at column %d of %d", p.Title, at.W, at.X, columns)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, hidden := taken[[2]int{x, y}]; hidden {
					t.Fatalf("panel %q lies over panel %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

func TestMetricsOfAnExpression(t *testing.T) {
	names, grouped := metricsOf(`quantile(0.9, sum by (le, role) (rate(a_bucket{x="y"}[$__interval]))) / sum(b_total)`)
	if want := []string{"a_bucket", "b_total"}; !slices.Equal(names, want) {
		t.Errorf("got metrics %q, want %q", names, want)
	}
	if want := []string{"le", "role"}; !slices.Equal(grouped, want) {
		t.Errorf("got labels %q, want %q", grouped, want)
	}
}
