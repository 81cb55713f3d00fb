# One KRaft node, broker and controller, with a plain listener, a SASL_SSL one (SCRAM-SHA-512 and PLAIN), and one that
# sends its clients to another port, where a proxy may stand.
# The certificate authority is $run/kafka/tls/ca.pem.

kafka_install() {
  pick_java
  need openssl openssl
  jars kafka "$KAFKA_VERSION" -Dkafka.version="$KAFKA_VERSION" -Dkafka.scala="$KAFKA_SCALA" -Dslf4j.version="$KAFKA_SLF4J_VERSION"
}

# A throwaway authority and a server and a client certificate for 127.0.0.1, all PEM.
kafka_certificates() {
  local dir=$1 name
  [ -f "$dir/server-all.pem" ] && return 0
  mkdir -p "$dir"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=stack test authority" \
    -keyout "$dir/ca.key" -out "$dir/ca.pem" 2> /dev/null
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' > "$dir/names"
  for name in server client; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$dir/$name.key" -out "$dir/$name.csr" 2> /dev/null
    openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 30 -out "$dir/$name.pem" \
      -extfile "$dir/names" 2> /dev/null
  done
  # Kafka reads a PEM key store as the PKCS#8 key followed by its chain in one file.
  cat "$dir/server.key" "$dir/server.pem" "$dir/ca.pem" > "$dir/server-all.pem"
}

kafka_properties() {
  local dir=$1
  cat << P
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$KAFKA_CONTROLLER_PORT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT,SASL_SSL:SASL_SSL
listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT,SASL_SSL://127.0.0.1:$KAFKA_SASL_PORT,PROXIED://127.0.0.1:$KAFKA_PROXIED_PORT
advertised.listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT,SASL_SSL://127.0.0.1:$KAFKA_SASL_PORT,PROXIED://127.0.0.1:$KAFKA_PROXY_PORT
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_$KAFKA_USER="$KAFKA_PASSWORD";
ssl.keystore.type=PEM
ssl.keystore.location=$dir/tls/server-all.pem
ssl.truststore.type=PEM
ssl.truststore.location=$dir/tls/ca.pem
log.dirs=$dir/data
log.retention.ms=-1
message.max.bytes=2000000
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=3000
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.backoff.ms=500
num.network.threads=2
num.io.threads=2
P
}

kafka_start() {
  pick_java
  local dir=$run/kafka classpath="$home/kafka/$KAFKA_VERSION/*" quiet=-Dorg.slf4j.simpleLogger.defaultLogLevel=warn
  kafka_certificates "$dir/tls"
  kafka_properties "$dir" > "$dir/server.properties"
  if [ ! -f "$dir/data/meta.properties" ]; then
    # The first SCRAM user is part of the format, so that no admin call is needed.
    # shellcheck disable=SC2086 # the flags are words
    "$java" -Xmx128m $java_flags $quiet -cp "$classpath" kafka.tools.StorageTool format \
      -t "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')" -c "$dir/server.properties" \
      --add-scram "SCRAM-SHA-512=[name=$KAFKA_USER,password=$KAFKA_PASSWORD]" > "$dir/format.log" 2>&1 || die "kafka format failed, see $dir/format.log"
  fi
  # shellcheck disable=SC2046,SC2086
  launch kafka "$java" "-Xmx${KAFKA_HEAP:-768m}" $java_flags $(archive kafka) -Dorg.slf4j.simpleLogger.showDateTime=true \
    -cp "$classpath" kafka.Kafka "$dir/server.properties"
  await kafka 90 grep -q "Kafka Server started" "$dir/log"
}
