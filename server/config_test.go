package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/hub"
)

func TestConfigComesFromFlagsThenEnvironmentThenDefaults(t *testing.T) {
	for name, test := range map[string]struct {
		args        []string
		environment map[string]string
		got         func(config) any
		want        any
	}{
		"default addr":              {nil, nil, func(c config) any { return c.addr }, ":8080"},
		"default lead":              {nil, nil, func(c config) any { return c.lead }, 10 * time.Second},
		"default epoch":             {nil, nil, func(c config) any { return c.epoch }, defaultEpoch},
		"flag":                      {[]string{"-detail", "4"}, nil, func(c config) any { return c.detail }, 4},
		"environment":               {nil, map[string]string{"DONUT_DETAIL": "5"}, func(c config) any { return c.detail }, 5},
		"flag over environment":     {[]string{"-detail", "4"}, map[string]string{"DONUT_DETAIL": "5"}, func(c config) any { return c.detail }, 4},
		"hyphens":                   {nil, map[string]string{"DONUT_MAX_CLIENTS": "7"}, func(c config) any { return c.limits.Clients }, 7},
		"PORT":                      {nil, map[string]string{"PORT": "99"}, func(c config) any { return c.addr }, ":99"},
		"DONUT_ADDR over PORT":      {nil, map[string]string{"PORT": "99", "DONUT_ADDR": ":98"}, func(c config) any { return c.addr }, ":98"},
		"-addr over PORT":           {[]string{"-addr", ":97"}, map[string]string{"PORT": "99"}, func(c config) any { return c.addr }, ":97"},
		"no admin":                  {[]string{"-admin-addr", ""}, nil, func(c config) any { return c.adminAddr }, ""},
		"no admin over environment": {[]string{"-admin-addr="}, map[string]string{"DONUT_ADMIN_ADDR": ":1"}, func(c config) any { return c.adminAddr }, ""},
		"epoch":                     {[]string{"-epoch", "2026-02-03T04:05:06Z"}, nil, func(c config) any { return c.epoch.Unix() }, int64(1770091506)},
		"origins":                   {[]string{"-origins", "a.example, *.b.example"}, nil, func(c config) any { return c.origins }, []string{"a.example", "*.b.example"}},
		"default max per address":   {nil, nil, func(c config) any { return c.limits.PerAddress }, 100},
		"default joins per address": {nil, nil, func(c config) any { return c.limits.JoinsPerAddress }, 5.},
		"joins per address":         {[]string{"-joins-per-address", "0.5"}, nil, func(c config) any { return c.limits.JoinsPerAddress }, 0.5},
		"nobody is a trusted proxy": {nil, nil, func(c config) any { return len(c.proxies) }, 0},
		"trusted proxies": {nil, map[string]string{"DONUT_TRUSTED_PROXIES": "10.0.0.1, 2001:db8::/32"},
			func(c config) any { return fmt.Sprint(c.proxies) }, "[10.0.0.1/32 2001:db8::/32]"},
		"trusted proxies over environment": {[]string{"-trusted-proxies", ""}, map[string]string{"DONUT_TRUSTED_PROXIES": "10.0.0.1"},
			func(c config) any { return len(c.proxies) }, 0},
		"log level":                {[]string{"-log-level", "warn"}, nil, func(c config) any { return c.logLevel }, slog.LevelWarn},
		"log format":               {nil, map[string]string{"DONUT_LOG_FORMAT": "json"}, func(c config) any { return c.logJSON }, true},
		"cache dir may be nowhere": {[]string{"-cache-dir", ""}, nil, func(c config) any { return c.cacheDir }, ""},
		"default audit budget":     {nil, nil, func(c config) any { return c.auditBudget }, 0.10},
		"default audit floor":      {nil, nil, func(c config) any { return c.auditFloor }, 0.05},
		"audit budget":             {[]string{"-audit-budget", "0"}, nil, func(c config) any { return c.auditBudget }, 0.},
		"audit floor":              {nil, map[string]string{"DONUT_AUDIT_FLOOR": "1"}, func(c config) any { return c.auditFloor }, 1.},
		"default max streams":      {nil, nil, func(c config) any { return c.streams.Clients }, 1000},
		"max streams": {nil, map[string]string{"DONUT_MAX_STREAMS": "0"},
			func(c config) any { return c.streams.Clients }, 0},
		"streams join as often": {[]string{"-joins-per-address", "7"}, nil, func(c config) any { return c.streams.JoinsPerAddress }, 7.},
		"streams per address": {[]string{"-max-streams-per-address", "3"}, nil,
			func(c config) any { return c.streams.PerAddress }, 3},
		"messages":              {nil, map[string]string{"DONUT_MESSAGES_PER_CONNECTION": "9"}, func(c config) any { return c.messages }, 9},
		"default longest lease": {nil, nil, func(c config) any { return c.maxLease }, 120},
		"longest lease":         {[]string{"-max-lease", "4"}, nil, func(c config) any { return c.maxLease }, 4},
		"default send buffer":   {nil, nil, func(c config) any { return c.sendBuffer }, 8192},
		"send buffer":           {nil, map[string]string{"DONUT_SEND_BUFFER": "65536"}, func(c config) any { return c.sendBuffer }, 65536},
		"timeouts": {[]string{"-hello-timeout", "1s", "-message-timeout", "2s", "-write-timeout", "3s"}, nil,
			func(c config) any { return c.timeouts },
			hub.Timeouts{Hello: time.Second, Message: 2 * time.Second, Write: 3 * time.Second}},
		"drain":                      {[]string{"-drain", "250ms"}, nil, func(c config) any { return c.drain }, 250 * time.Millisecond},
		"an empty variable is unset": {nil, map[string]string{"DONUT_DETAIL": ""}, func(c config) any { return c.detail }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := parseConfig(test.args, environ(test.environment), new(bytes.Buffer))
			if err != nil {
				t.Fatal(err)
			}
			if got := test.got(c); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestBadConfigIsOneClearLine(t *testing.T) {
	for name, test := range map[string]struct {
		args        []string
		environment map[string]string
		want        []string // all in the error
	}{
		"unknown flag":        {[]string{"-nonsense"}, nil, []string{"-nonsense"}},
		"no key":              {[]string{"-tls-cert", "c.pem"}, nil, []string{"-tls-cert", `"c.pem"`, "-tls-key", "both or neither"}},
		"no certificate":      {nil, map[string]string{"DONUT_TLS_KEY": "k.pem"}, []string{"-tls-cert", `"k.pem"`, "both"}},
		"argument":            {[]string{"start"}, nil, []string{`"start"`}},
		"malformed flag":      {[]string{"-detail", "x"}, nil, []string{`"x"`, "-detail"}},
		"variable":            {nil, map[string]string{"DONUT_LEAD": "ten"}, []string{`"ten"`, "DONUT_LEAD"}},
		"addr":                {[]string{"-addr", "8080"}, nil, []string{`"8080"`, "-addr", "host:port"}},
		"PORT":                {nil, map[string]string{"PORT": "a:b"}, []string{"-addr", "a:b"}},
		"admin addr":          {[]string{"-admin-addr", "x"}, nil, []string{`"x"`, "-admin-addr"}},
		"detail too high":     {[]string{"-detail", "33"}, nil, []string{"33", "1 to 32"}},
		"detail too low":      {[]string{"-detail", "0"}, nil, []string{"0", "1 to 32"}},
		"lead":                {[]string{"-lead", "1s"}, nil, []string{"1s", "4s to 1m0s"}},
		"epoch":               {[]string{"-epoch", "yesterday"}, nil, []string{"yesterday", "-epoch"}},
		"future epoch":        {[]string{"-epoch", "2999-01-01T00:00:00Z"}, nil, []string{"2999", "past"}},
		"max streams":         {[]string{"-max-streams", "-1"}, nil, []string{"-max-streams", "-1", "0 or more"}},
		"streams per address": {[]string{"-max-streams-per-address", "0"}, nil, []string{"-max-streams-per-address", "0", "at least 1"}},
		"no messages":         {[]string{"-messages-per-connection", "0"}, nil, []string{"-messages-per-connection", "0", "1 to 10000"}},
		"messages":            {[]string{"-messages-per-connection", "10001"}, nil, []string{"-messages-per-connection", "10001"}},
		"short leases":        {[]string{"-max-lease", "3"}, nil, []string{"-max-lease", "3", "4 to 120"}},
		"long leases":         {nil, map[string]string{"DONUT_MAX_LEASE": "121"}, []string{"-max-lease", "121", "4 to 120"}},
		"small send buffer":   {[]string{"-send-buffer", "4095"}, nil, []string{"-send-buffer", "4095", "4096 to 1048576"}},
		"big send buffer":     {[]string{"-send-buffer", "1048577"}, nil, []string{"-send-buffer", "1048577"}},
		"header timeout":      {[]string{"-header-timeout", "0s"}, nil, []string{"-header-timeout", "0s", "more than 0s"}},
		"hello timeout":       {[]string{"-hello-timeout", "0s"}, nil, []string{"-hello-timeout", "0s", "more than 0s"}},
		"message timeout":     {[]string{"-message-timeout", "-1s"}, nil, []string{"-message-timeout", "-1s"}},
		"write timeout":       {[]string{"-write-timeout", "0"}, nil, []string{"-write-timeout", "0s"}},
		"max clients":         {[]string{"-max-clients", "0"}, nil, []string{"-max-clients", "0"}},
		"audit budget":        {[]string{"-audit-budget", "-0.1"}, nil, []string{"-audit-budget", "-0.1", "0 to 1024 cores"}},
		"no budget":           {[]string{"-audit-budget", "NaN"}, nil, []string{"-audit-budget", "NaN"}},
		"no audit floor":      {[]string{"-audit-floor", "0"}, nil, []string{"-audit-floor", "0", "above 0 and up to 1"}},
		"audit floor":         {[]string{"-audit-floor", "1.1"}, nil, []string{"-audit-floor", "1.1"}},
		"drain":               {[]string{"-drain", "-1s"}, nil, []string{"-drain", "-1s"}},
		"max per address":     {[]string{"-max-per-address", "0"}, nil, []string{"-max-per-address", "0", "at least 1"}},
		"no joins":            {[]string{"-joins-per-address", "0"}, nil, []string{"-joins-per-address", "got 0", "0.01 to 10000"}},
		"joins":               {[]string{"-joins-per-address", "NaN"}, nil, []string{"-joins-per-address", "NaN"}},
		"trusted proxy":       {[]string{"-trusted-proxies", "::1,proxy"}, nil, []string{"-trusted-proxies", `got "proxy", want an address`}},
		"trusted prefix": {nil, map[string]string{"DONUT_TRUSTED_PROXIES": "10.0.0.1/8"},
			[]string{"DONUT_TRUSTED_PROXIES", `"10.0.0.1/8"`, "want 10.0.0.0/8"}},
		"drain delay": {[]string{"-drain", "2s", "-drain-delay", "2s"}, nil, []string{"-drain-delay", "2s", "less than -drain"}},
		"returns":     {nil, map[string]string{"DONUT_RETURNS_PER_SECOND": "0"}, []string{"-returns-per-second", "0", "at least 1"}},
		"dev":         {[]string{"-dev", "nowhere"}, nil, []string{"-dev", `"nowhere"`, "web/static", "no such file"}},
		"log level":   {[]string{"-log-level", "loud"}, nil, []string{"loud", "-log-level"}},
		"log format":  {[]string{"-log-format", "xml"}, nil, []string{"xml", "text or json"}},
		"origins":     {[]string{"-origins", "["}, nil, []string{"[", "-origins"}},
	} {
		t.Run(name, func(t *testing.T) {
			var output bytes.Buffer
			status := run(t.Context(), test.args, environ(test.environment), new(bytes.Buffer), &output)
			if status != exitUsage {
				t.Errorf("exit status %d, want %d", status, exitUsage)
			}
			line := strings.TrimSuffix(output.String(), "\n")
			if strings.Contains(line, "\n") || !strings.HasPrefix(line, "donut-server: ") {
				t.Errorf("got %q, want one line of donut-server's", line)
			}
			for _, want := range test.want {
				if !strings.Contains(line, want) {
					t.Errorf("got %q, want %q in it", line, want)
				}
			}
		})
	}
}

// environ returns an environment as os.Environ does.
func environ(variables map[string]string) (list []string) {
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	return list
}

func TestHelpIsComplete(t *testing.T) {
	var output bytes.Buffer
	if _, err := parseConfig([]string{"-h"}, nil, &output); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("-h ends in %v", err)
	}
	wants := []string{"DONUT_", "PORT"}
	flags := define(new(config))
	flags.VisitAll(func(f *flag.Flag) { wants = append(wants, "  -"+f.Name) })
	for _, group := range flags.groups {
		wants = append(wants, "\n"+group.Name()+":\n")
	}
	for _, want := range wants {
		if strings.Count(output.String(), want) == 0 {
			t.Errorf("-h says nothing of %s:\n%s", want, output.String())
		}
	}
}

// TestREADMEListsEveryFlag looks for each with its default, where that is short enough for a table.
func TestREADMEListsEveryFlag(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Running a server\n")
	section, _, _ = strings.Cut(section, "\n## ")
	define(new(config)).VisitAll(func(f *flag.Flag) {
		want := "`-" + f.Name + "`"
		if f.DefValue != "" && f.DefValue != "false" && f.Name != "cache-dir" {
			want += " `" + f.DefValue + "` |"
		}
		if !strings.Contains(strings.ToLower(section), strings.ToLower(want)) {
			t.Errorf("README.md does not list %s", want)
		}
	})
}

func TestEffectiveConfigIsLogged(t *testing.T) {
	p := startIn(t, []string{"DONUT_LEAD=8s", "DONUT_PORT_8080_TCP=x", "DONUT_VERSION=1", "HOME=/"}, "-origins", "a.example",
		"-log-level", "info")
	line, ok := "", false
	for l := range strings.Lines(p.log.String()) {
		if strings.Contains(l, "msg=configured") {
			line, ok = strings.TrimSpace(l)+" ", true
		}
	}
	if !ok {
		t.Fatalf("no such line:\n%s", p.log)
	}
	define(new(config)).VisitAll(func(f *flag.Flag) {
		if name := " " + strings.ReplaceAll(f.Name, "-", "_") + "="; f.Name != versionFlag && strings.Count(line, name) != 1 {
			t.Errorf("want one%s in %s", name, line)
		}
	})
	for _, want := range []string{" lead=8s ", " origins=a.example ", " log_format=text ", " epoch=2026-01-01T00:00:00Z ", " detail=1 "} {
		if !strings.Contains(line, want) {
			t.Errorf("want%sin %s", want, line)
		}
	}
	if want := `names="DONUT_PORT_8080_TCP DONUT_VERSION"`; strings.Count(p.log.String(), want) != 1 {
		t.Errorf("want %s once in\n%s", want, p.log)
	}
}

func TestKnownVariablesAreNoCauseForWarning(t *testing.T) {
	if p := startIn(t, []string{"DONUT_DETAIL=1", "DONUT_LEAD="}); strings.Contains(p.log.String(), "level=WARN") {
		t.Errorf("warned:\n%s", p.log)
	}
}
