#!/bin/sh
# Prints the messages of a channel as JSON, one a line (kcat). BROKERS, GROUP, CHANNEL and PREFIX say where. kcat drops no repeats.
exec kcat -q -u -b "${BROKERS:-127.0.0.1:9092}" -X auto.offset.reset=earliest -f '%s\n' -G "$PREFIX${GROUP:-printer}" "${PREFIX}campaigns.${CHANNEL:-email}"
