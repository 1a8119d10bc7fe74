# Punchcard. `make help` lists what there is.
export CGO_ENABLED := 0
ENGINE := .engine
KAFKA_DIR := .kafka
KAFKA_PORT := 9392
GO_TEST_FLAGS ?= -timeout 25m

.PHONY: help page build demo engine test test-kafka kafka-start kafka-stop bench fuzz vet vuln clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

WEB := dashboards/page/web
PAGE := dashboards/page/dist/index.html
PAGE_SOURCES := $(shell find $(WEB)/src $(WEB)/public -type f 2>/dev/null) $(WEB)/index.html $(WEB)/vite.config.ts $(WEB)/package.json $(WEB)/package-lock.json

page: $(PAGE) ## the built-in page's files (Node; part of build)

$(PAGE): $(PAGE_SOURCES)
	cd $(WEB) && npm ci --no-audit --no-fund && npm run build
	@touch $(PAGE)

build: $(PAGE) ## bin/punchcard, one static binary, with the page in it
	@mkdir -p bin
	go build -trimpath -o bin/punchcard ./cmd/punchcard

engine: ## fetch the embedded ClickHouse engine (npm, 546 MB, once)
	@bash warehouse/embedded/fetch.sh $(ENGINE)

demo: build engine ## real purchases through the whole road, then live; ARGS="--speed 4h" and the like
	./bin/punchcard demo $(ARGS)

test: engine build ## all tests, on the embedded broker and engine
	go vet ./...
	go test $(GO_TEST_FLAGS) ./...

# The integration suite: what runs the real program or talks to a real broker.
SUITE := Road|CDNOW|Clients|Killed|Thousand|TwoProcesses|ShopsDay

test-kafka: engine ## the integration suite on Apache Kafka (Java 17 and Maven)
	bash deploy/kafka/kafka.sh start $(KAFKA_DIR) $(KAFKA_PORT)
	export PUNCHCARD_TEST_KAFKA=127.0.0.1:$(KAFKA_PORT); \
	  go test $(GO_TEST_FLAGS) -count=1 ./event/stream ./campaigns/subscriber && \
	  go test $(GO_TEST_FLAGS) -count=1 -run '$(SUITE)' ./cmd/punchcard ; \
	  code=$$?; bash deploy/kafka/kafka.sh stop $(KAFKA_DIR); exit $$code

kafka-start: ## Apache Kafka on localhost:9392 (Java 17 and Maven)
	bash deploy/kafka/kafka.sh start $(KAFKA_DIR) $(KAFKA_PORT)

kafka-stop: ## stop it
	bash deploy/kafka/kafka.sh stop $(KAFKA_DIR)

bench: engine ## speed: each figure beside its ceiling, in one run, then as a table
	@mkdir -p bin
	{ go test -run '^$$' -bench 'Customer$$' -benchtime 300000x ./processors/customer; \
	  go test -run '^$$' -bench CustomerSegments -benchtime 100000x ./processors/customer; \
	  go test -run '^$$' -bench . -benchtime 1x -timeout 15m ./cmd/punchcard; \
	  go test -run '^$$' -bench . -benchtime 2s -timeout 15m ./program ./ingest/history ./processors/sink; } 2>&1 | tee bin/bench.txt
	@awk -f deploy/bench.awk bin/bench.txt

FUZZ_TIME ?= 30s
fuzz: ## every fuzz target for FUZZ_TIME
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read f; do \
	  for t in $$(grep -oE '^func Fuzz[A-Za-z0-9_]+' $$f | sed 's/func //'); do \
	    echo "== $$(dirname $$f) $$t"; go test $$(dirname $$f) -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZ_TIME) || exit 1; done; done

check-deploy: ## the files of deploy against their schemas (a module of its own, fetches much)
	go -C deploy/check test ./...

vet: ## go vet and formatting
	go vet ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }

vuln: ## known vulnerabilities (asks the Go vulnerability database)
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

clean: ## what make made, not the data
	rm -rf bin
