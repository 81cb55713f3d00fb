import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

/** Runs a file of SQL statements in Flink's mini cluster, two slots, a checkpoint (which is a commit) every ten seconds. */
public class RunSQL {
  public static void main(String[] args) throws Exception {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(2, new Configuration());
    env.enableCheckpointing(10_000);
    StreamTableEnvironment tables = StreamTableEnvironment.create(env);
    tables.getConfig().set("table.local-time-zone", "UTC");
    for (String statement : Files.readString(Path.of(args[0])).split(";\\s*\\n")) {
      if (!statement.isBlank()) {
        tables.executeSql(statement.strip()).await();
      }
    }
    System.exit(0);
  }
}
