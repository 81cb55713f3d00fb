//go:build !synctests

package sim

// durable: the Kafka client waits for answers while it holds locks. A goroutine that waits for an ordinary lock keeps
// virtual time from going on, so that the answer never comes and the run hangs; under the build tag synctests the
// client's locks are channels.
const durable = false
