package config

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

const (
	// minPartSize and maxPartSize are S3's bounds.
	minPartSize = 5 * MiB
	maxPartSize = 5 * GiB
)

func (v rules) storage(s Storage) {
	if s.S3 != nil && v.storedIn("storage.s3", "S3", "s3", "s3a") {
		v.s3("storage.s3", s)
	}
	if s.Azure != nil && v.storedIn("storage.azure", "Azure", "abfss", "abfs", "wasbs", "wasb") {
		v.azure("storage.azure", s.Azure)
	}
	if s.GCS != nil && v.storedIn("storage.gcs", "Google Cloud Storage", "gs") {
		v.gcs("storage.gcs", s.GCS)
	}
}

// storedIn refuses a block for another store than the warehouse's. Where a REST catalog puts tables is its own business.
func (v rules) storedIn(path, name string, schemes ...string) bool {
	if v.c.Catalog.Type == CatalogREST || v.unknown["catalog.warehouse"] || v.c.Catalog.Warehouse == "" {
		return true
	}
	scheme, _, _ := strings.Cut(v.c.Catalog.Warehouse, "://")
	if slices.Contains(schemes, scheme) {
		return true
	}
	v.useless(path, "the warehouse is not in "+name)
	return false
}

func (v rules) s3(path string, s Storage) {
	if s.S3.Endpoint != "" {
		v.httpAddress(path+".endpoint", s.S3.Endpoint)
	}
	keyID, key := v.set(path+".access_key_id"), v.given(path+".secret_access_key")
	if keyID != key {
		v.fault(path, "", "access_key_id and secret_access_key (or secret_access_key_file) go together")
	}
	if !key {
		v.uselessSecret(path+".session_token", "there is no key")
	}
	if s.S3.PartSize < minPartSize || s.S3.PartSize > maxPartSize {
		v.fault(path+".part_size", "", "want %s to %s, the bounds of S3", minPartSize, maxPartSize)
	}
	v.encryption(path+".encryption", s.S3)
}

// customerKeyBytes is the length of an encryption key: AES-256.
const customerKeyBytes = 32

func (v rules) encryption(path string, s *S3) {
	e := s.Encryption
	if e == nil {
		return
	}
	if e.Type != EncryptionKMS && e.Type != EncryptionKMSDual {
		v.useless(path+".kms_key_id", "it belongs to type: sse-kms")
	}
	if e.Type != EncryptionOwn {
		v.uselessSecret(path+".customer_key", "it belongs to type: sse-c")
		return
	}
	if !v.given(path + ".customer_key") {
		v.fault(path, "make one with: openssl rand -base64 32", "sse-c needs customer_key or customer_key_file")
	} else if key := e.CustomerKey.Reveal(); key != "" {
		if raw, err := base64.StdEncoding.DecodeString(key); err != nil || len(raw) != customerKeyBytes {
			v.fault(path, "make one with: openssl rand -base64 32", "the key must be 32 bytes in base64")
		}
	}
	if u, err := url.Parse(s.Endpoint); err == nil && remotePlain(u) {
		v.fault(path+".type", "use an https endpoint", "the key would be sent in plain text with every request")
	}
}

// azure checks that there is one login, and a whole one.
func (v rules) azure(path string, a *Azure) {
	if a.Endpoint != "" {
		u := v.httpAddress(path+".endpoint", a.Endpoint)
		if u != nil && remotePlain(u) && v.given(path+".sas_token") {
			v.fault(path+".endpoint", "use an https endpoint", "the signature would be sent in plain text with every request")
		}
	}
	if v.given(path+".account_key") || v.given(path+".sas_token") || v.given(path+".client_secret") {
		v.exactlyOne(path, "account_key", "sas_token", "client_secret")
	}
	if !v.given(path + ".client_secret") {
		v.useless(path+".tenant_id", "it belongs to "+path+".client_secret")
	} else if !v.set(path+".tenant_id") || !v.set(path+".client_id") {
		v.fault(path, "", "client_secret, client_id and tenant_id go together")
	}
	if v.given(path+".account_key") || v.given(path+".sas_token") {
		v.useless(path+".client_id", "there is another login")
	}
	if key := a.AccountKey.Reveal(); key != "" {
		if _, err := base64.StdEncoding.DecodeString(key); err != nil {
			v.fault(path, "copy it as the portal shows it", "an account key is base64")
		}
	}
	if sas := a.SASToken.Reveal(); sas != "" && !strings.Contains(sas, "sig=") {
		v.fault(path, "copy all of it, from sv= to the end of sig=", "a shared access signature has a sig=")
	}
}

func (v rules) gcs(path string, g *GCS) {
	if g.Endpoint != "" {
		if u := v.httpAddress(path+".endpoint", g.Endpoint); u != nil && remotePlain(u) && !g.Anonymous {
			v.fault(path+".endpoint", "use an https endpoint, or set anonymous", "the token would be sent in plain text with every request")
		}
	}
	if g.Anonymous {
		v.uselessSecret(path+".credentials", "nothing is sent with "+path+".anonymous")
	}
	var file struct {
		Type string `json:"type"`
	}
	if text := g.Credentials.Reveal(); text != "" && (json.Unmarshal([]byte(text), &file) != nil || file.Type == "") {
		v.fault(path, "use the JSON file that Google's console or gcloud makes", "the credentials are no key file")
	}
}
