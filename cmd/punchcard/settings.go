package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

const (
	embeddedPartitions = 8
	clusterPartitions  = 64
	maxPartitions      = 1024
	maxSettingsBytes   = 64 << 10
)

// Settings are common to all commands. Every flag can also be set as
// PUNCHCARD_<FLAG> or in the --config file.
type Settings struct {
	Config           string        `help:"Settings file (YAML: flag names and values)." placeholder:"FILE" env:"PUNCHCARD_CONFIG"`
	Data             string        `help:"Data folder." default:"./punchcard-data" placeholder:"DIR"`
	HTTP             string        `help:"Address of the HTTP door." default:"127.0.0.1:8080" placeholder:"ADDR"`
	KafkaListen      string        `help:"Address of the embedded broker." default:"127.0.0.1:9092" placeholder:"ADDR"`
	ClickhouseListen string        `name:"clickhouse-listen" help:"Address of the embedded ClickHouse engine." default:"127.0.0.1:8123" placeholder:"ADDR"`
	Kafka            []string      `help:"Use these Kafka brokers instead of the embedded one." placeholder:"HOST:PORT"`
	Clickhouse       string        `help:"Use this ClickHouse instead of the embedded one: http://, https:// or clickhouse://, with user and password." placeholder:"URL"`
	Partitions       int32         `help:"Partitions of events and ledger, fixed at creation (8 embedded, 64 on Kafka)." placeholder:"N"`
	Tenant           string        `help:"Prefix of topics, groups and database." placeholder:"NAME"`
	Engine           string        `help:"Path to libchdb.so, if not where make engine puts it." placeholder:"FILE"`
	Instance         string        `help:"Name of this process in the consumer group, different in each; one of the data folder's own by default." placeholder:"NAME"`
	Internal         string        `help:"Address where other processes of the group reach this one; they share the data folder's internal key." placeholder:"ADDR"`
	ClockJump        time.Duration `name:"clock-jump" help:"Let time jump this far at once (after a long stop)." placeholder:"DURATION"`
	LogLevel         string        `name:"log-level" help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"warn"`
}

func (s *Settings) level() slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(s.LogLevel)) // the enum tag has checked it
	return l
}

var tenantName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// Validate reports every problem at once; kong calls it.
func (s *Settings) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for flag, addr := range map[string]string{"--http": s.HTTP, "--kafka-listen": s.KafkaListen, "--clickhouse-listen": s.ClickhouseListen, "--internal": s.Internal} {
		if addr == "" {
			continue
		}
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			bad("%s %q: write host:port, such as 127.0.0.1:8080", flag, addr)
			continue
		}
		if flag != "--http" && flag != "--internal" && !isLoopback(host) {
			bad("%s %q: the embedded parts have no keys and listen on this machine only; for more use --kafka and --clickhouse", flag, addr)
		}
	}
	if s.Partitions < 0 || s.Partitions > maxPartitions {
		bad("--partitions %d: write 1 to %d", s.Partitions, maxPartitions)
	}
	if s.Tenant != "" && !tenantName.MatchString(s.Tenant) {
		bad("--tenant %q: lower-case letters, digits and _, at most 31", s.Tenant)
	}
	if s.Clickhouse != "" {
		if u, err := url.Parse(s.Clickhouse); err != nil || u.Host == "" {
			bad("--clickhouse: not a URL such as http://user:password@host:8123")
		}
	}
	if s.ClockJump < 0 {
		bad("--clock-jump %s: not negative", s.ClockJump)
	}
	return errors.Join(errs...)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (s *Settings) embeddedBroker() bool { return len(s.Kafka) == 0 }
func (s *Settings) embeddedEngine() bool { return s.Clickhouse == "" }

func (s *Settings) partitions() int32 {
	switch {
	case s.Partitions > 0:
		return s.Partitions
	case s.embeddedBroker():
		return embeddedPartitions
	}
	return clusterPartitions
}

// prefix is what a tenant's topics and groups begin with.
func (s *Settings) prefix() string {
	if s.Tenant == "" {
		return ""
	}
	return s.Tenant + "."
}

func (s *Settings) database() string {
	if s.Tenant == "" {
		return "punchcard"
	}
	return "punchcard_" + s.Tenant
}

func (s *Settings) path(parts ...string) string {
	return filepath.Join(append([]string{s.Data}, parts...)...)
}

// fileResolver reads the settings file that --config or PUNCHCARD_CONFIG names.
// Its keys are flag names; an unknown one is an error. A flag beats the
// environment, which beats the file.
func fileResolver(args []string) kong.Resolver {
	values, failed := map[string]any{}, error(nil)
	if path := configPath(args); path != "" {
		values, failed = readSettings(path)
	}
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if failed != nil {
			return nil, failed
		}
		v, ok := values[flag.Name]
		if !ok || slices.ContainsFunc(flag.Envs, isSet) {
			return nil, nil
		}
		if list, isList := v.([]any); isList {
			words := make([]string, 0, len(list))
			for _, x := range list {
				words = append(words, fmt.Sprint(x))
			}
			return strings.Join(words, ","), nil
		}
		return fmt.Sprint(v), nil
	})
}

func isSet(variable string) bool {
	_, ok := os.LookupEnv(variable)
	return ok
}

func readSettings(path string) (map[string]any, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("settings file: %w", err)
	}
	if info.Size() > maxSettingsBytes {
		return nil, fmt.Errorf("settings file %s: larger than %d bytes", path, maxSettingsBytes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("settings file: %w", err)
	}
	var into map[string]any
	if err := yaml.Unmarshal(text, &into); err != nil {
		return nil, fmt.Errorf("settings file %s: %w", path, err)
	}
	known := map[string]bool{}
	for _, name := range flagNames() {
		known[name] = true
	}
	for name := range into {
		if !known[name] {
			return nil, fmt.Errorf("settings file %s: %q is no setting; those are %s", path, name, strings.Join(flagNames(), ", "))
		}
	}
	return into, nil
}

// flagNames lists the names that a settings file may use.
func flagNames() []string {
	var s struct{ Settings }
	parser, err := kong.New(&s)
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range parser.Model.Flags {
		if f.Name != "help" && f.Name != "config" {
			names = append(names, f.Name)
		}
	}
	return names
}

func configPath(args []string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("PUNCHCARD_CONFIG")
}
