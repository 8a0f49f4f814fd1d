module github.com/distributed-donut/donut

go 1.26

require (
	github.com/coder/websocket v1.8.15
	github.com/tetratelabs/wazero v1.12.0
)

require golang.org/x/sys v0.44.0 // indirect
