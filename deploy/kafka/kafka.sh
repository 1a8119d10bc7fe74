#!/bin/sh
# Apache Kafka for tests: one KRaft node on localhost, jars from Maven Central.
#
#   kafka.sh start [dir] [port]   make it ready; prints the bootstrap address
#   kafka.sh stop  [dir]          stop it and drop its data
#
# dir (default .kafka beside the repository's Makefile) holds libs/ (fetched
# once), the data, the log and the process id. port defaults to 9192; the next
# one up is the controller's. Needs Java 17 and Maven.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
command=${1:-}
dir=${2:-$here/../../.kafka}
port=${3:-9192}
wait_seconds=60

fail() {
	echo "kafka.sh: $*" >&2
	exit 1
}

need() {
	command -v "$1" >/dev/null 2>&1 || fail "$1 is missing: install Java 17 and Maven (Debian: openjdk-17-jre-headless maven)"
}

# The command line of a process, where ps may be missing.
command_of() {
	if [ -r "/proc/$1/cmdline" ]; then
		tr '\0' ' ' <"/proc/$1/cmdline"
	else
		ps -o args= -p "$1"
	fi
}

# A process id alone may by now be another program's.
running() {
	[ -f "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null && command_of "$(cat "$dir/pid")" | grep -q 'kafka\.Kafka'
}

fetch() {
	sum=$(cksum <"$here/pom.xml")
	[ -f "$dir/libs/.complete" ] && [ "$(cat "$dir/libs/.complete")" = "$sum" ] && return
	need mvn
	echo "kafka.sh: fetching Apache Kafka from Maven Central (about 55 MB, once)" >&2
	rm -rf "$dir/libs"
	mvn -B -q -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$dir/libs" >"$dir/mvn.log" 2>&1 ||
		fail "Maven could not fetch the jars: see $dir/mvn.log"
	printf '%s' "$sum" >"$dir/libs/.complete"
}

configure() {
	controller=$((port + 1))
	rm -rf "$dir/logs"
	sed -e "s|@PORT@|$port|g" -e "s|@CONTROLLER@|$controller|g" -e "s|@LOGS@|$dir/logs|g" \
		"$here/server.properties" >"$dir/server.properties"
	java -Xmx256m -cp "$dir/libs/*" kafka.tools.StorageTool random-uuid >"$dir/cluster-id" 2>"$dir/format.log"
	java -Xmx256m -cp "$dir/libs/*" kafka.tools.StorageTool format --standalone \
		-t "$(tail -n 1 "$dir/cluster-id")" -c "$dir/server.properties" >>"$dir/format.log" 2>&1 ||
		fail "formatting the log directory failed: see $dir/format.log"
}

await() {
	end=$(($(date +%s) + wait_seconds))
	until grep -q 'Kafka Server started' "$dir/broker.log"; do
		running || fail "the broker ended at once (is port $port or $((port + 1)) taken?): see $dir/broker.log"
		[ "$(date +%s)" -lt "$end" ] || fail "the broker is not ready after $wait_seconds s: see $dir/broker.log"
		sleep 0.1
	done
}

start() {
	need java
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	if running; then
		sed -n 's|^advertised.listeners=PLAINTEXT://||p' "$dir/server.properties"
		return
	fi
	fetch
	configure
	nohup java -Xms256m -Xmx768m -XX:+UseG1GC \
		-Dlog4j2.configurationFile="file:$here/log4j2.properties" \
		-cp "$dir/libs/*" kafka.Kafka "$dir/server.properties" >"$dir/broker.log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
	await
	echo "127.0.0.1:$port"
}

stop() {
	if running; then
		pid=$(cat "$dir/pid")
		kill "$pid"
		end=$(($(date +%s) + wait_seconds))
		while kill -0 "$pid" 2>/dev/null; do
			[ "$(date +%s)" -lt "$end" ] || kill -9 "$pid" 2>/dev/null || true
			sleep 0.1
		done
	fi
	rm -rf "$dir/pid" "$dir/logs"
}

case $command in
start) start ;;
stop) stop ;;
*) fail "usage: kafka.sh start [dir] [port] | kafka.sh stop [dir]" ;;
esac
