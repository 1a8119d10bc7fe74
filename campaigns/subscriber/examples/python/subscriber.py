# Prints the messages of a channel (confluent-kafka; pip install -r requirements.txt). BROKERS, GROUP, CHANNEL and PREFIX say where.
import datetime, json, os, signal
from confluent_kafka import Consumer, KafkaException

env = os.environ.get
consumer = Consumer({"bootstrap.servers": env("BROKERS", "127.0.0.1:9092"), "group.id": env("PREFIX", "") + env("GROUP", "printer"),
                     "auto.offset.reset": "earliest", "enable.auto.commit": False})
consumer.subscribe([env("PREFIX", "") + "campaigns." + env("CHANNEL", "email")])
seen = {}  # the last ids: a crash may repeat one
going = [True]
for s in (signal.SIGINT, signal.SIGTERM):
    signal.signal(s, lambda *_: going.clear())
while going:
    record = consumer.poll(0.5)
    if record is None:
        continue
    if record.error():
        raise KafkaException(record.error())
    m = json.loads(record.value())
    late = "" < m["expires_time"] < datetime.datetime.now(datetime.timezone.utc).isoformat()
    if m["message_id"] not in seen and not late:
        print(f'{m["message_id"]} to {m["customer_id"]}: {m["subject"]}', flush=True)
        seen[m["message_id"]] = True
        if len(seen) > 4096:
            del seen[next(iter(seen))]
    consumer.commit(record, asynchronous=False)
consumer.close()
