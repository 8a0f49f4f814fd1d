package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/cluster/natstest"
	"github.com/distributed-donut/donut/tools/deploy"
	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/tools/leakcheck"
	"github.com/distributed-donut/donut/tools/wasmbuild/build"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }

// programs builds the server, with the module of this checkout inside, and the swarm, and returns their folder.
func programs(t *testing.T, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	module := filepath.Join(dir, "donut.wasm")
	if err := build.Build(t.Context(), module); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(root, "web", "dist", "donut.wasm"): module},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, how := range map[string][]string{
		program: {"./server"}, riggedProgram: {"-tags", "trial", "./server"}, "swarm": {"./tools/swarm"},
	} {
		args := slices.Concat([]string{"build", "-overlay", file, "-o", filepath.Join(dir, name)}, flags, how)
		compile := exec.CommandContext(t.Context(), "go", args...)
		compile.Dir = root
		if out, err := compile.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	return dir
}

// racePrograms builds the programs so that they look for races where the tests do.
func racePrograms(t *testing.T) string {
	t.Helper()
	if raceEnabled {
		return programs(t, "-race")
	}
	return programs(t)
}

// TestTrials makes trials, shortened and side by side. What airs and who is believed must be right on the busiest
// machine; what depends on how busy it is is for the command to judge.
func TestTrials(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	kept := filepath.Join(t.TempDir(), "results")
	made := []string{"forgers", "storm", "odds", "freeze80", "life5", "drop50", "killed", "all"}
	args := append([]string{"-bin", programs(t), "-duration", "20s", "-parallel", "8", "-results", kept, "-json"}, made...)
	var out, errs bytes.Buffer
	if err := run(t.Context(), args, &out, &errs); err != nil && !errors.Is(err, errMissed) {
		t.Fatalf("%v\n%s", err, &errs)
	}
	first := out.String()
	var names []string
	for decoder := json.NewDecoder(&out); ; {
		var f findings
		if err := decoder.Decode(&f); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Trial)
		judge(t, f)
	}
	if !slices.Equal(names, made) {
		t.Errorf("made %v, want %v", names, made)
	}

	start := time.Now()
	out.Reset()
	if err := run(t.Context(), args, &out, &errs); err != nil && !errors.Is(err, errMissed) {
		t.Fatal(err)
	}
	if took := time.Since(start); out.String() != first || took > 5*time.Second {
		t.Errorf("with all results kept it takes %v, and says\n%s, want\n%s", took, &out, first)
	}
}

// TestEndurance makes the trials of what a server has to stand for long, shortened and small. Where races are looked for,
// they are in the server and in the crowds too: one ends its process with a status that no trial takes.
func TestEndurance(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute and a half")
	}
	bin := racePrograms(t)
	for _, c := range []struct{ trial, size string }{
		{"soak", "-viewers 1000 -workers 20 -hostile 30"},
		{"restart", "-viewers 100 -workers 5"},
		{"redeploy", "-viewers 100 -workers 5"},
		{"flood", "-viewers 50 -workers 5 -hostile 50 -rate 20"},
	} {
		t.Run(c.trial, func(t *testing.T) {
			args := append([]string{"-bin", bin, "-duration", "20s", "-json"}, strings.Fields(c.size)...)
			var out, errs bytes.Buffer
			if err := run(t.Context(), append(args, c.trial), &out, &errs); err != nil && !errors.Is(err, errMissed) {
				t.Fatalf("%v\n%s", err, &errs)
			}
			var f findings
			if err := json.Unmarshal(out.Bytes(), &f); err != nil {
				t.Fatal(err)
			}
			judge(t, f)
		})
	}
}

// TestFleet makes the trials of several servers, shortened and small. Which server renders what, and how soon they find
// each other, is for the command to judge.
func TestFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute and a half")
	}
	natstest.Start(t).Stop() // or there are none
	size := "-viewers 30 -workers 6"
	if raceEnabled {
		size = "-viewers 6 -workers 3"
	}
	args := append(strings.Fields("-duration 15s -parallel 2 -json "+size), "-bin", racePrograms(t))
	var made []string
	for _, each := range fleets {
		if _, err := deploy.FindNginx(); err != nil && each.name == serverKilled.name {
			if os.Getenv("REQUIRE_BROWSERS") == "1" {
				t.Error(err)
			}
			continue
		}
		made = append(made, each.name)
	}
	var out, errs bytes.Buffer
	if err := run(t.Context(), append(args, made...), &out, &errs); err != nil && !errors.Is(err, errMissed) {
		t.Fatalf("%v\n%s", err, &errs)
	}
	decoder := json.NewDecoder(&out)
	for _, name := range made {
		var f findings
		if err := decoder.Decode(&f); err != nil || f.Trial != name {
			t.Fatalf("got the findings of %q, %v, want those of %q", f.Trial, err, name)
		}
		judge(t, f)
	}
}

// TestOrdinaryServersAreNotRigged asks both programs for their flags.
func TestOrdinaryServersAreNotRigged(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server twice")
	}
	bin := programs(t)
	for name, want := range map[string]bool{program: false, riggedProgram: true} {
		help, err := exec.CommandContext(t.Context(), filepath.Join(bin, name), "-h").CombinedOutput()
		if err != nil {
			t.Fatalf("%s -h: %v", name, err)
		}
		content, err := os.ReadFile(filepath.Join(bin, name))
		if err != nil {
			t.Fatal(err)
		}
		for where, text := range map[string][]byte{"help": help, "program": content} {
			if got := bytes.Contains(text, []byte("rig-clock-off")); got != want {
				t.Errorf("%s: its %s has -rig-clock-off: %v, want %v", name, where, got, want)
			}
		}
	}
}

// judge fails where the findings of a trial say that something is not safe, or say nothing.
func judge(t *testing.T, f findings) {
	judged := 0
	for _, figure := range f.Figures {
		t.Logf("%s: %s: %g, want %s", f.Trial, figure.Name, figure.Value, figure.Bar)
		if figure.Safety {
			judged++
		}
		if figure.Safety && !figure.Met {
			t.Errorf("%s: %s: got %g, want %s", f.Trial, figure.Name, figure.Value, figure.Bar)
		}
		tried := slices.Contains([]string{"hostile joins", "forged frames sent", "frames aired", "returns"}, figure.Name)
		if tried && figure.Value == 0 {
			t.Errorf("%s: %s: got 0, want some", f.Trial, figure.Name)
		}
	}
	if judged == 0 {
		t.Errorf("%s: nothing was judged", f.Trial)
	}
}

func TestResults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results")
	open := func() *results {
		t.Helper()
		r, err := openResults(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.close)
		return r
	}
	f := findings{Trial: "calm", Duration: time.Minute, Figures: []figure{{Name: "x", Value: 1, Met: true}}}
	if err := open().add(f); err != nil {
		t.Fatal(err)
	}
	appendTo(t, file, `{"trial":"nobo`) // and then it was stopped
	r := open()
	if got, ok := r.find(trial{name: "calm", duration: time.Minute}); !ok || !reflect.DeepEqual(got, f) {
		t.Errorf("found %+v, %v, want %+v", got, ok, f)
	}
	for _, other := range []trial{
		{name: "calm", duration: time.Second}, {name: "nobody", duration: time.Minute},
		{name: "calm", duration: time.Minute, size: size{Viewers: 1}},
	} {
		if got, ok := r.find(other); ok {
			t.Errorf("found %+v for %+v", got, other)
		}
	}
	second := findings{Trial: "nobody", Duration: time.Minute}
	if err := r.add(second); err != nil {
		t.Fatal(err)
	}
	if got := open().all; len(got) != 2 {
		t.Errorf("the file holds %+v, want two findings", got)
	}
	appendTo(t, file, "nonsense\n")
	if _, err := openResults(file); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("nonsense in the file: got %v, want an error that names line 3", err)
	}
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name   string
		add    func(*findings)
		missed bool
	}{
		{"told", func(f *findings) { f.tell("x", 5) }, false},
		{"safe", func(f *findings) { f.safe("x", 0, 0) }, false},
		{"unsafe", func(f *findings) { f.safe("x", 1, 0) }, true},
		{"exact", func(f *findings) { f.exactly("x", 2, 2) }, false},
		{"inexact", func(f *findings) { f.exactly("x", 2, 3) }, true},
		{"at the most", func(f *findings) { f.atMost("x", 2, 2) }, false},
		{"too much", func(f *findings) { f.atMost("x", 2.1, 2) }, true},
		{"at least", func(f *findings) { f.atLeast("x", 2, 2) }, false},
		{"too little", func(f *findings) { f.atLeast("x", 1.9, 2) }, true},
		{"nothing to measure", func(f *findings) { f.atLeast("x", math.NaN(), 2) }, true},
		{"not a number", func(f *findings) { zero := 0.; f.atMost("x", zero/zero, 2) }, true},
	} {
		f := findings{Trial: "t"}
		f.tell("before", 1)
		c.add(&f)
		var table bytes.Buffer
		if err := f.writeTable(&table); err != nil {
			t.Fatal(err)
		}
		if f.missed() != c.missed || strings.Contains(table.String(), "MISSED") != c.missed {
			t.Errorf("%s: missed %v, want %v\n%s", c.name, f.missed(), c.missed, &table)
		}
		var line bytes.Buffer
		var again findings
		if err := f.writeJSON(&line); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line.Bytes(), &again); err != nil || fmt.Sprint(again) != fmt.Sprint(f) {
			t.Errorf("%s: %s is read as %v, %v, want %v", c.name, &line, again, err, f)
		}
	}
}

// TestCrowdThatBreaks has crowds report and end with a status: 1 is for checks that failed, and 66 for a data race.
func TestCrowdThatBreaks(t *testing.T) {
	for status, want := range map[string]bool{"0": true, "1": true, "2": false, "66": false} {
		s := &door{bin: t.TempDir(), stderr: io.Discard}
		script := "#!/bin/sh\necho '{\"frames_seen\": 5}'\nexit " + status + "\n"
		if err := os.WriteFile(filepath.Join(s.bin, "swarm"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		report, err := s.swarm(t.Context(), time.Second)
		if (err == nil) != want || want && report["frames_seen"] != 5 {
			t.Errorf("status %s: got %v, %v, want a report: %v", status, report, err, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	const object = `{"a": 1.5, "text": "2", "none": null, "closed": {"slow": 3, "text": "4"}, "list": [5]}`
	got, err := numbers(strings.NewReader(object))
	if want := map[string]float64{"a": 1.5, "closed.slow": 3}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestSize(t *testing.T) {
	own := size{Viewers: 9000, Workers: 200}
	for chosen, want := range map[size]size{
		{}:                       own,
		{Viewers: 7}:             {Viewers: 7, Workers: 200},
		{Workers: 3, Hostile: 5}: {Viewers: 9000, Workers: 3}, // where there are no hostile ones, none can be chosen
		{Rate: 5}:                own,
	} {
		if got := own.or(chosen); got != want {
			t.Errorf("%+v chosen: got %+v, want %+v", chosen, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, of := range map[float64][]float64{0: nil, 3: {3}, 2: {9, 1, 2}, 5: {7, 5, 1, 2, 6}} {
		if got := median(of); got != want {
			t.Errorf("median of %v is %v, want %v", of, got, want)
		}
	}
}

// TestFootprint has a shell be the server, which opens a file and closes it, and this process tell of its goroutines:
// the sockets of that are not to be counted.
func TestFootprint(t *testing.T) {
	running := 5
	var mu sync.Mutex
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, "# HELP go_goroutines Number.\ngo_goroutines %d\n", running)
		running = max(5, running-1)
	}))
	defer admin.Close()
	const script = "echo; read a; exec 3</dev/null; echo; read a; exec 3<&-; echo; read a"
	shell := exec.CommandContext(t.Context(), "sh", "-c", script)
	orders, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer shell.Wait()
	defer orders.Close()
	done := bufio.NewScanner(out)
	next := func() {
		fmt.Fprintln(orders)
		done.Scan()
	}

	done.Scan()
	s := &server{process: shell, admin: admin.URL}
	before, err := s.footprint(t.Context())
	if err != nil || before.goroutines != 5 || before.descriptors < 3 {
		t.Fatalf("got %+v, %v, want 5 goroutines and some descriptors", before, err)
	}
	next()
	if now, err := s.footprint(t.Context()); err != nil || now.descriptors != before.descriptors+1 {
		t.Errorf("got %+v, %v with one file more than %+v", now, err, before)
	}
	next()
	mu.Lock()
	running = 7
	mu.Unlock()
	if more, err := s.footprintOver(t.Context(), before); err != nil || more != (footprint{}) {
		t.Errorf("got %+v, %v more than before, want nothing once the goroutines have ended", more, err)
	}
}

func TestStat(t *testing.T) {
	const line = "42 (a ) name (x)) S 1 42 42 0 -1 4194560 1 2 3 4 150 25 6 7 20 0 9 0 1 2 3"
	got, err := parseStat(line)
	if want := 1750 * time.Millisecond; err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "42 (x) S", strings.Replace(line, "150", "x", 1)} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-nonsense":    "-nonsense",
		"-duration 1s": "-duration: got 1s, want 15s to 1h",
		"-parallel 0":  "-parallel: got 0, want 1 to 16",
		"-viewers -1":  "-viewers, -workers, -hostile and -rate: got {Viewers:-1",
		"-rate NaN":    "Rate:NaN}, want 0 or more",
		"nonsense":     `got trial "nonsense"`,
	} {
		var out, errs bytes.Buffer
		err := run(context.Background(), strings.Fields(args), &out, &errs)
		if got := exit.Status("trials", err, &errs); got != 2 || !strings.Contains(errs.String(), want) || out.Len() > 0 {
			t.Errorf("%s: status %d and %q, want 2 and %q", args, got, &errs, want)
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &out, &out); !errors.Is(err, flag.ErrHelp) || !strings.Contains(out.String(), "-duration") {
		t.Errorf("-h ends in %v and says %q", err, &out)
	}
	out.Reset()
	if err := run(t.Context(), []string{"-list"}, &out, &out); err != nil || strings.Count(out.String(), "\n") != len(trials()) {
		t.Errorf("-list ends in %v and says %q", err, &out)
	}
}

func TestServerThatDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	for name, script := range map[string]string{"no server": "", "one that ends": "#!/bin/sh\nexit 3\n"} {
		path := filepath.Join(dir, "donut-server")
		os.Remove(path)
		if script != "" {
			if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if err := run(t.Context(), []string{"-bin", dir, "forgers"}, &out, &out); err == nil || errors.Is(err, errMissed) {
			t.Errorf("%s: got %v, want an error", name, err)
		}
	}
}
