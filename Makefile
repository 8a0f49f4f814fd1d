# Go alone is enough for build, run and verify. What test needs beyond that is said in tools/test.sh.
GO ?= go
SERVER := bin/donut-server

# How long each fuzz target runs, and how many times the usual number of seeds random tests play.
FUZZTIME ?= 30s
SEEDS ?= 20

# How many frames, and of what detail, every engine is to render.
FRAMES ?= 1000000
DETAIL ?= 1

.PHONY: build server run test verify engines fuzz bench release vuln clean

build: server
	$(GO) build -trimpath -tags trial -o bin/donut-server-trial ./server
	$(GO) build -trimpath -o bin/ ./tools/framecheck ./tools/bench ./tools/swarm ./tools/trials ./tools/sim ./tools/chart

server: web/dist/donut.wasm
	@mkdir -p bin
	$(GO) build -trimpath -o $(SERVER) ./server

web/dist/donut.wasm: go.mod $(shell find wasm tools/wasmbuild -name '*.go' ! -name '*_test.go')
	$(GO) run ./tools/wasmbuild -o $@

run: server
	$(SERVER)

test: build
	GO=$(GO) tools/test.sh

verify: build
	bin/framecheck -first 0 -count 600 -digest

engines: build
	GO=$(GO) tools/engines.sh $(FRAMES) $(DETAIL)

fuzz:
	GO=$(GO) FUZZTIME=$(FUZZTIME) SEEDS=$(SEEDS) tools/fuzz.sh

bench: build
	bin/bench
	-bin/trials -duration 40s fanout

# The server for six platforms, and SHA256SUMS.
release: web/dist/donut.wasm
	GO=$(GO) tools/release.sh bin/release

# Known vulnerabilities in what is linked in.
vuln: web/dist/donut.wasm
	GO=$(GO) tools/vuln.sh

clean:
	rm -rf bin web/dist/donut.wasm web/dist/donut.wasm.gz tools/e2e/node_modules
