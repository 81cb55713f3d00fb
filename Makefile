# The two commands are `make demo` and `make test`; both need only Go and make.
# `make help` lists the rest.

GO            ?= go
VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS       := -s -w -X main.version=$(VERSION)
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2

DEMO_DIR  ?= ingestd-demo
DEMO_ARGS ?=
TEST_ARGS ?=
PKG       ?= ./...
BENCH     ?= .
FUZZTIME  ?= 30s
SOAKTIME  ?= 10m
SIMSEEDS  ?= 10000
SIMFROM   ?= 1000
SIMARGS   ?=
KILLS     ?= 200
DELAYTIME ?= 3m
MUTATION_ARGS ?=
BENCH_ARGS ?=
E2E_ARGS  ?=
MEMORY_ARGS ?=
COMMITS_ARGS ?=
DELAYS_ARGS ?=
FLATCOMMITS ?= 10000
DAYHOURS  ?= 24
DAYTABLES ?= 20
INTEGRATION_ARGS ?=

# Under this tag the Kafka client's locks let the simulator's virtual time go on.
SIM := $(GO) test -tags synctests ./integration/sim

# The product is one static binary.
export CGO_ENABLED := 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/ingestd
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ingestd ./cmd/ingestd

.PHONY: demo
demo: build ## Generate a shop's click stream and log, ingest both, serve the tables (Ctrl-C ends it)
	bin/ingestd demo --dir $(DEMO_DIR) $(DEMO_ARGS)

.PHONY: test
test: ## Run all tests that need nothing but Go
	$(GO) test -timeout 9m $(TEST_ARGS) $(PKG)
	@test '$(PKG)' != ./... || $(SIM) -timeout 9m $(TEST_ARGS)

.PHONY: bench
bench: ## Measure the hot path on one core beside the straightforward pipelines, and compaction beside iceberg-go's, with gates on the ratios
	$(GO) run ./bench $(BENCH_ARGS)
	@test -n '$(BENCH_ARGS)' || $(GO) run ./bench/rewrite

.PHONY: bench-rewrite
bench-rewrite: ## Measure compaction beside iceberg-go's alone (REWRITE_ARGS='-rounds 5 -cores 2 -match delta')
	$(GO) run ./bench/rewrite $(REWRITE_ARGS)

.PHONY: microbench
microbench: ## Run the packages' own benchmarks (PKG and BENCH select)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -cpu 1 -timeout 30m $(PKG)

.PHONY: bench-e2e
bench-e2e: build ## Measure the daemon against a real broker, beside the straightforward pipeline (E2E_ARGS='-n 1000000 -rounds 1')
	$(GO) run ./integration/benche2e -ingestd bin/ingestd $(E2E_ARGS)

.PHONY: bench-public
bench-public: build ## Measure the daemon beside Kafka Connect, Spark, Flink and a plain Go program; writes the tables of docs/BENCHMARKS.md (BENCH_ARGS='-n 2000000 -rounds 3')
	$(GO) run ./integration/bench -ingestd bin/ingestd $(BENCH_ARGS)

.PHONY: bench-freshness
bench-freshness: ## Measure how old records are when a reader first sees them, at half of the maximum rate and beside busy tables
	$(GO) test -tags integration -count=1 -timeout 30m -v ./integration -run 'TestFreshness|TestNeighbours' -freshness-time 60s -freshness-slack 2s

.PHONY: bench-memory
bench-memory: build ## Measure the peak memory of a daemon that catches up: 5 M records, 1,000 partitions, 50 tables, memory.limit 256MiB
	$(GO) run ./integration/memload -ingestd bin/ingestd $(MEMORY_ARGS)

.PHONY: bench-commits
bench-commits: build ## Measure the CPU of a daemon with 50 tables that commit every 2 s, and whose code uses it (COMMITS_ARGS='-warm 10s')
	$(GO) run ./integration/commitload -ingestd bin/ingestd $(COMMITS_ARGS)

.PHONY: delays
delays: build ## Compare the delay of commits while the daemon rewrites a table with that in between, for DELAYTIME (0: not at all)
	@test $(DELAYTIME) = 0 || $(GO) run ./integration/commitload -ingestd bin/ingestd -tables 20 -interval 1s -warm 20s -time $(DELAYTIME) -phase 3s -rewrite 2000000 $(DELAYS_ARGS)

.PHONY: flat
flat: ## Compare commit FLATCOMMITS of a table with commit 100: time, metadata.json, manifest list (SQLite and REST)
	$(GO) test -count=1 -timeout 120m -v ./commit/catalog -run TestCommitCostIsFlat -flat.commits $(FLATCOMMITS)

.PHONY: day
day: ## Let DAYTABLES tables grow for DAYHOURS hours of a compressed clock, maintained, and compare the last hour with an early one
	@test $(DAYHOURS) = 0 || $(GO) test -count=1 -timeout 10h -v ./integration/day -run TestDay -day.hours $(DAYHOURS) -day.tables $(DAYTABLES)

.PHONY: mutation
mutation: ## Take out the checks of exactly once, one at a time; each must be missed by its test (MUTATION_ARGS='-run pin')
	$(GO) run ./internal/mutation $(MUTATION_ARGS)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME, one after the other
	@GO=$(GO) bash .ci/fuzz $(FUZZTIME)

.PHONY: sim
sim: ## Play SIMSEEDS runs of the fault simulator, from seed SIMFROM on (one run, told in full: SIMARGS='-seed 17')
	$(SIM) -count=1 -timeout 10h -run '^TestSeeds$$' -v -seeds $(SIMSEEDS) -from $(SIMFROM) $(SIMARGS)

.PHONY: soak
soak: ## Play SIMSEEDS runs of the simulator, commit FLATCOMMITS times, and beside rewrites, let tables grow for a day, fuzz every target for SOAKTIME (ten minutes), kill processes KILLS times (0: not at all)
	$(MAKE) sim
	$(MAKE) flat
	$(MAKE) delays
	$(MAKE) day
	$(MAKE) fuzz FUZZTIME=$(SOAKTIME)
	$(MAKE) kills

.PHONY: kills
kills: ## Kill competing processes KILLS times on the real components, behind proxies that break 5 % of the calls
	@test $(KILLS) = 0 || $(GO) test -tags integration -count=1 -timeout 120m -v ./integration -run TestKills -kills $(KILLS)
	@test $(KILLS) = 0 || $(GO) test -count=1 -timeout 60m -v ./cmd/ingestd -run TestKilledMaintenance -maintenance.kills $(KILLS)

.PHONY: integration
integration: ## Start Kafka, registry, REST catalog, S3 and test the binary against them (INTEGRATION_ARGS='-run TestX')
	$(GO) test -tags integration -count=1 -timeout 40m -v ./integration $(INTEGRATION_ARGS)
	@test -n "$(INTEGRATION_ARGS)" || $(GO) test -tags integration -count=1 -timeout 10m -v ./integration/limits
	@test -n "$(INTEGRATION_ARGS)" || $(GO) test -tags integration -count=1 -timeout 20m -v ./integration/matrix -run TestEngines
	@test -n "$(INTEGRATION_ARGS)" || $(GO) test -tags integration -count=1 -timeout 10m -v ./integration/stores

.PHONY: integration-full
integration-full: ## The same, and read with Spark (newest, oldest) and Trino, and commit to Nessie and a Hive Metastore
	$(GO) test -tags 'integration full' -count=1 -timeout 120m -v ./integration $(INTEGRATION_ARGS)
	@test -n "$(INTEGRATION_ARGS)" || $(GO) test -tags 'integration full' -count=1 -timeout 60m -v ./integration/matrix -run 'TestEngines|TestHeavyEngines'

.PHONY: readers
readers: ## Let every engine read the matrix of files, keep what they read, and write docs/READERS.md from it
	$(GO) test -tags 'integration full' -count=1 -timeout 60m -v ./integration/matrix -run 'TestEngines|TestHeavyEngines' -update
	$(GO) test ./integration/matrix -run TestDocument -rewrite

.PHONY: catalogs
catalogs: ## Ask every catalog everything, keep what it answers, and write docs/CATALOGS.md from it
	$(GO) test -tags 'integration full' -count=1 -timeout 30m -v ./integration -run 'Conforms$$' -update
	$(GO) test ./commit/catalog/catalogtest -run TestDocument -rewrite

.PHONY: stores
stores: ## Ask every store everything, keep what it answers, and write docs/STORES.md from it
	$(GO) test -tags integration -count=1 -timeout 10m -v ./integration/stores -update
	$(GO) test ./table/store/storetest -run TestDocument -rewrite

.PHONY: stack-stop
stack-stop: ## Stop everything that a test or benchmark left running, and drop its data
	integration/stack/stack.sh stop --wipe

.PHONY: lint
lint: ## Run golangci-lint (fetched with go run)
	$(GO) run $(GOLANGCI_LINT) run $(PKG)

.PHONY: clean
clean: ## Remove what the other targets made here (not the download cache)
	rm -rf bin $(DEMO_DIR)
