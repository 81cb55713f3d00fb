package config

// Catalog is the Iceberg catalog the tables live in.
type Catalog struct {
	// Kind of catalog.
	Type CatalogType `yaml:"type" required:"true"`
	// Name of the catalog in the tables of a database (sqlite, postgres), and in messages.
	Name string `yaml:"name"`
	// Address of the catalog (rest), of the database, `postgres://user@host:5432/database` (postgres), or of the Metastore,
	// `thrift://host:9083`, more of them after commas (hive).
	URI string `yaml:"uri"`
	// Password of the user in the address (postgres). Empty: what PostgreSQL's own programs would take.
	Password Secret `yaml:"password"`
	// File that holds the password.
	PasswordFile string `yaml:"password_file"`
	// Database file (sqlite).
	Path string `yaml:"path"`
	// Where new tables are stored (sqlite, postgres, hive: a directory or URI), or the warehouse's name (rest).
	Warehouse string `yaml:"warehouse"`
	// Bearer token (rest).
	Token Secret `yaml:"token"`
	// File that holds the bearer token.
	TokenFile string `yaml:"token_file"`
	// OAuth2 client credentials, `id:secret` (rest).
	Credential Secret `yaml:"credential"`
	// File that holds the client credentials.
	CredentialFile string `yaml:"credential_file"`
	// OAuth2 token endpoint (rest). Empty: the catalog's own.
	OAuth2ServerURI string `yaml:"oauth2_server_uri"`
	// OAuth2 scope to ask for (rest).
	Scope string `yaml:"scope"`
	// Signs requests with AWS signature version 4 (rest). The keys come from the AWS default chain.
	SigV4 *SigV4 `yaml:"sigv4"`
	// Headers sent with each request (rest).
	Headers map[string]Secret `yaml:"headers"`
	// Authorities and client certificate (rest, postgres, hive).
	TLS *TLS `yaml:"tls"`
	// Permits a token, credential or password to cross the network in plain text.
	AllowPlaintext bool `yaml:"allow_plaintext"`
}

// SigV4 signs catalog requests.
type SigV4 struct {
	// AWS region.
	Region string `yaml:"region" required:"true"`
	// Signing name of the service: `glue`, `s3tables`, `execute-api`.
	Service string `yaml:"service"`
}

// Storage says how data files are stored.
type Storage struct {
	// Amazon S3 and compatible stores.
	S3 *S3 `yaml:"s3"`
	// Azure Blob Storage, also as Data Lake Storage: `abfss:`, `wasbs:`.
	Azure *Azure `yaml:"azure"`
	// Google Cloud Storage: `gs:`.
	GCS *GCS `yaml:"gcs"`
}

// S3 configures the object store. What is left out comes from the AWS default chain or from the catalog's vended credentials.
type S3 struct {
	// Address of a compatible store. Empty: Amazon S3.
	Endpoint string `yaml:"endpoint"`
	// AWS region.
	Region string `yaml:"region"`
	// Access key.
	AccessKeyID string `yaml:"access_key_id"`
	// Secret key.
	SecretAccessKey Secret `yaml:"secret_access_key"`
	// File that holds the secret key.
	SecretAccessKeyFile string `yaml:"secret_access_key_file"`
	// Session token of temporary keys.
	SessionToken Secret `yaml:"session_token"`
	// File that holds the session token.
	SessionTokenFile string `yaml:"session_token_file"`
	// Puts the bucket into the path instead of the host name. Most compatible stores want it.
	PathStyle bool `yaml:"path_style"`
	// Size of one part of a multipart upload.
	PartSize Size `yaml:"part_size"`
	// Asks the store to encrypt what is written. Empty: what the bucket does by itself.
	Encryption *S3Encryption `yaml:"encryption"`
}

// S3Encryption is encryption on the server's side.
type S3Encryption struct {
	// Who holds the key: the store, its key service (dsse-kms: in two layers), or you.
	Type S3EncryptionType `yaml:"type" required:"true"`
	// Key of the key service (sse-kms, dsse-kms). Empty: the bucket's or the account's own.
	KMSKeyID string `yaml:"kms_key_id"`
	// Key of your own, 32 bytes in base64 (sse-c). Readers need it too, and without it the tables are lost.
	CustomerKey Secret `yaml:"customer_key"`
	// File that holds the key of your own.
	CustomerKeyFile string `yaml:"customer_key_file"`
}

// Azure configures Azure Blob Storage. Without a login here, the catalog's vended credentials are taken, or the process's
// own: the AZURE_ variables, a workload identity, a managed identity.
type Azure struct {
	// Address of the blob service, for an emulator: `http://localhost:10000/devstoreaccount1`. Empty: the account's own.
	Endpoint string `yaml:"endpoint"`
	// Key of the storage account.
	AccountKey Secret `yaml:"account_key"`
	// File that holds the account's key.
	AccountKeyFile string `yaml:"account_key_file"`
	// Shared access signature.
	SASToken Secret `yaml:"sas_token"`
	// File that holds the shared access signature.
	SASTokenFile string `yaml:"sas_token_file"`
	// Tenant of the service principal.
	TenantID string `yaml:"tenant_id"`
	// Client id of the service principal; without a client_secret, of a user-assigned managed identity.
	ClientID string `yaml:"client_id"`
	// Secret of the service principal.
	ClientSecret Secret `yaml:"client_secret"`
	// File that holds the secret of the service principal.
	ClientSecretFile string `yaml:"client_secret_file"`
}

// GCS configures Google Cloud Storage. Without credentials here, the catalog's vended token is taken, or the process's own
// login: GOOGLE_APPLICATION_CREDENTIALS, workload identity, the metadata server.
type GCS struct {
	// Address of an emulator. Empty: Google's.
	Endpoint string `yaml:"endpoint"`
	// Content of a key file, as JSON: of a service account or of workload identity federation.
	Credentials Secret `yaml:"credentials"`
	// Key file.
	CredentialsFile string `yaml:"credentials_file"`
	// Sends no credentials: for an emulator.
	Anonymous bool `yaml:"anonymous"`
}
