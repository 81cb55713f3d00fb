package stack

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// service is one service of docker-compose.yml as far as the test reads it.
type service struct {
	image string
	ports []string
}

// composeServices reads images and ports by indentation; the file is ours and plain.
func composeServices(t *testing.T, text string) map[string]*service {
	t.Helper()
	name := regexp.MustCompile(`^  ([a-z0-9]+):$`)
	image := regexp.MustCompile(`^    image: (\S+)$`)
	port := regexp.MustCompile(`^      - "([0-9.]+:[0-9]+:[0-9]+)"$`)
	services := map[string]*service{}
	var current *service
	inServices := false
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" && line[0] != ' ' && line[0] != '#' {
			inServices = line == "services:"
		}
		if !inServices {
			continue
		}
		if m := name.FindStringSubmatch(line); m != nil {
			current = &service{}
			services[m[1]] = current
		} else if m := image.FindStringSubmatch(line); m != nil {
			current.image = m[1]
		} else if m := port.FindStringSubmatch(line); m != nil {
			current.ports = append(current.ports, m[1])
		}
	}
	return services
}

func TestComposeFileIsInStep(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	require.NoError(t, err)
	got := composeServices(t, string(text))
	v := Pinned()
	want := map[string]*service{
		"kafka":    {"apache/kafka:" + v["KAFKA_VERSION"], []string{"127.0.0.1:" + v["KAFKA_PORT"] + ":" + v["KAFKA_PORT"]}},
		"registry": {"apicurio/apicurio-registry:" + v["APICURIO_VERSION"], []string{"127.0.0.1:" + v["REGISTRY_PORT"] + ":8080"}},
		"s3":       {"ghcr.io/versity/versitygw:" + v["VERSITYGW_VERSION"], []string{"127.0.0.1:" + v["S3_PORT"] + ":" + v["S3_PORT"]}},
		"azure":    {"mcr.microsoft.com/azure-storage/azurite:" + v["AZURITE_VERSION"], []string{"127.0.0.1:" + v["AZURE_PORT"] + ":" + v["AZURE_PORT"]}},
		"gcs":      {"fsouza/fake-gcs-server:" + v["FAKE_GCS_VERSION"][1:], []string{"127.0.0.1:" + v["GCS_PORT"] + ":" + v["GCS_PORT"]}},
		"rest":     {"apache/iceberg-rest-fixture:" + v["ICEBERG_VERSION"], []string{"127.0.0.1:" + v["REST_PORT"] + ":8181"}},
	}
	require.Equal(t, want, got)
	for _, s := range []string{
		"HOST://127.0.0.1:" + v["KAFKA_PORT"],
		"--access " + v["S3_ACCESS_KEY"] + " --secret " + v["S3_SECRET_KEY"] + " --region " + v["S3_REGION"] + " --port :" + v["S3_PORT"],
		`"--blobPort", "` + v["AZURE_PORT"] + `"`,
		`"-port", "` + v["GCS_PORT"] + `"`,
		"mkdir -p /data/" + v["S3_BUCKET"],
		"CATALOG_WAREHOUSE: s3://" + v["S3_BUCKET"] + "/warehouse",
		"CATALOG_S3_ENDPOINT: http://s3:" + v["S3_PORT"],
	} {
		require.Contains(t, string(text), s)
	}
}

// Every setting the scripts use stands in versions.env, every one of versions.env is used, and no port twice.
func TestPinnedSettings(t *testing.T) {
	v := Pinned()
	var scripts strings.Builder
	files, err := filepath.Glob("parts/*.sh")
	require.NoError(t, err)
	for _, f := range append(files, "lib.sh", "stack.sh") {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		scripts.Write(text)
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$\{?([A-Z][A-Z0-9_]*_(?:VERSION|PORT|KEY|RUNTIME|USER|PASSWORD|BUCKET|ACCOUNT|CONTAINER|REGION|SCALA))\b`).FindAllStringSubmatch(scripts.String(), -1) {
		require.Contains(t, v, m[1])
		used[m[1]] = true
	}
	ports := map[string]string{}
	for key, value := range v {
		require.NotEmpty(t, value, key)
		require.True(t, used[key], "%s is used by no script", key)
		if strings.HasSuffix(key, "_PORT") {
			require.Empty(t, ports[value], "port %s twice", value)
			ports[value] = key
		}
	}
}
