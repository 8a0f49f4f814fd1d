package cluster

import (
	"os"
	"testing"

	"github.com/distributed-donut/donut/tools/leakcheck"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }
