package config

// Source is one Kafka cluster, the way into it, and its schema registry.
type Source struct {
	// Kind of source.
	Type SourceType `yaml:"type"`
	// Bootstrap brokers, `host:port`.
	Brokers []string `yaml:"brokers" required:"true"`
	// Name of this client in the brokers' logs and quotas.
	ClientID string `yaml:"client_id"`
	// Encrypts the connections to the brokers. `tls: {}` trusts the system's roots.
	TLS *TLS `yaml:"tls"`
	// Authenticates at the brokers.
	SASL *SASL `yaml:"sasl"`
	// How partitions are assigned and fetched.
	Consumer Consumer `yaml:"consumer"`
	// The schema registry, needed by tables with `avro` values or keys.
	Registry *Registry `yaml:"registry"`
}

// TLS encrypts a connection. Host names are always verified.
type TLS struct {
	// Set to false to keep the block and connect in plain text.
	Enabled bool `yaml:"enabled"`
	// PEM file of the authorities to trust instead of the system's.
	CAFile string `yaml:"ca_file"`
	// PEM file of the client certificate (mutual TLS).
	CertFile string `yaml:"cert_file"`
	// PEM file of the client certificate's key.
	KeyFile string `yaml:"key_file"`
	// Name to verify in the server's certificate, when it differs from the address.
	ServerName string `yaml:"server_name"`
}

// SASL authenticates at the brokers.
type SASL struct {
	// Mechanism the brokers offer.
	Mechanism SASLMechanism `yaml:"mechanism" required:"true"`
	// User name (PLAIN, SCRAM).
	Username string `yaml:"username"`
	// Password (PLAIN, SCRAM).
	Password Secret `yaml:"password"`
	// File that holds the password.
	PasswordFile string `yaml:"password_file"`
	// Fixed bearer token (OAUTHBEARER).
	Token Secret `yaml:"token"`
	// File that holds the bearer token, read again for each login.
	TokenFile string `yaml:"token_file"`
	// Client credentials that fetch bearer tokens (OAUTHBEARER).
	OAuth *OAuth `yaml:"oauth"`
	// Permits sending a password or token over a connection without TLS.
	AllowPlaintext bool `yaml:"allow_plaintext"`
}

// OAuth fetches bearer tokens with client credentials.
type OAuth struct {
	// Token endpoint of the authorization server.
	TokenURL string `yaml:"token_url" required:"true"`
	// Client id.
	ClientID string `yaml:"client_id" required:"true"`
	// Client secret.
	ClientSecret Secret `yaml:"client_secret"`
	// File that holds the client secret.
	ClientSecretFile string `yaml:"client_secret_file"`
	// Scopes to ask for.
	Scopes []string `yaml:"scopes"`
}

// Consumer says how partitions are assigned and fetched.
type Consumer struct {
	// `direct`: one process takes all partitions; a restart waits for nobody. `group`: several processes share them.
	Mode ConsumerMode `yaml:"mode"`
	// Consumer group. In direct mode only lag is published under it. Empty: `ingestd-<pipeline>-<source>`.
	GroupID string `yaml:"group_id"`
	// Static membership: a restart within the session timeout keeps its partitions (group mode). Empty: dynamic membership.
	InstanceID string `yaml:"instance_id"`
	// Time after which a silent member loses its partitions (group mode).
	SessionTimeout Duration `yaml:"session_timeout"`
	// Greatest answer to one fetch, per broker. It is lowered to a 64th of memory.limit, but not below 1MiB, and further
	// while what fetches hold after decompression is more than the queues behind them take.
	FetchMaxBytes Size `yaml:"fetch_max_bytes"`
	// Greatest record batch after decompression. A larger one stops its tables.
	MaxBatchBytes Size `yaml:"max_batch_bytes"`
}

// Registry is a Confluent-compatible schema registry.
type Registry struct {
	// Addresses, tried in order.
	URLs []string `yaml:"urls" required:"true"`
	// User name (basic authentication).
	Username string `yaml:"username"`
	// Password (basic authentication).
	Password Secret `yaml:"password"`
	// File that holds the password.
	PasswordFile string `yaml:"password_file"`
	// Bearer token.
	Token Secret `yaml:"token"`
	// File that holds the bearer token.
	TokenFile string `yaml:"token_file"`
	// Authorities and client certificate for https addresses.
	TLS *TLS `yaml:"tls"`
	// Permits sending a password or token to an http address of another machine.
	AllowPlaintext bool `yaml:"allow_plaintext"`
	// How long a schema id that is not there is not asked for again.
	NegativeTTL Duration `yaml:"negative_ttl"`
}
