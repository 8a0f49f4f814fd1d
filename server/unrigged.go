//go:build !trial

package main

import (
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/timeline"
)

// A rig is what only trials need of a server. Unless it is built for them, that is nothing.
type rig struct{}

func (*rig) define(*flags) {}

func (*rig) clocks(read func() timeline.Reading) func() timeline.Reading { return read }

func (*rig) fleet(cfg orchestrator.Config) orchestrator.Config { return cfg }
