# Go alone is enough for build, run and verify. What test needs beyond that is said by tools/test.
GO ?= go
SERVER := bin/donut-server
TOOLS := bin/framecheck bin/bench bin/swarm

.PHONY: build run test verify bench clean

build: web/dist/donut.wasm
	@mkdir -p bin
	$(GO) build -trimpath -o $(SERVER) ./server
	$(GO) build -trimpath -o bin/ ./tools/framecheck ./tools/bench ./tools/swarm

web/dist/donut.wasm: go.mod $(shell find wasm tools/wasmbuild -name '*.go' ! -name '*_test.go')
	$(GO) run ./tools/wasmbuild -o $@

run: build
	$(SERVER)

verify: build
	bin/framecheck -first 0 -count 600 -digest

bench: build
	bin/bench

clean:
	rm -rf bin web/dist/donut.wasm tools/e2e/node_modules
