import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.output.ValidateOutput;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;

/**
 * Drives Flyway's engine for the tests: one command a line on standard input (the verb, then key=value, divided by
 * tabs and percent-encoded), one JSON object a line on standard output.
 */
public class Driver {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, "UTF-8");
        // Whatever a logger prints must not stand between the answers.
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(answer(line.split("\t")));
        }
    }

    private static String answer(String[] words) {
        Map<String, String> settings = new HashMap<>();
        for (int i = 1; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            settings.put("flyway." + decode(pair[0]), decode(pair[1]));
        }
        // No setting of Flyway's: the Java driver makes the JVM's zone the session's.
        String zone = settings.remove("flyway.driver.timeZone");
        TimeZone ours = TimeZone.getDefault();
        if (zone != null) {
            TimeZone.setDefault(TimeZone.getTimeZone(zone));
        }
        try {
            // Flyway reads this one only with a JSON library on the classpath.
            String lock = settings.remove("flyway.postgresql.transactional.lock");
            var configuration = Flyway.configure().configuration(settings);
            if (lock != null) {
                configuration.getConfigurationExtension(PostgreSQLConfigurationExtension.class)
                    .setTransactionalLock(Boolean.parseBoolean(lock));
            }
            Flyway flyway = configuration.load();
            switch (words[0]) {
                case "migrate":
                    return "{\"ok\":true,\"executed\":" + flyway.migrate().migrationsExecuted + "}";
                case "validate":
                    return validate(flyway);
                case "info":
                    return info(flyway);
                case "repair":
                    flyway.repair();
                    return "{\"ok\":true}";
                case "clean":
                    flyway.clean();
                    return "{\"ok\":true}";
                case "baseline":
                    flyway.baseline();
                    return "{\"ok\":true}";
                default:
                    return "{\"ok\":false,\"code\":\"NO_SUCH_COMMAND\",\"message\":\"\"}";
            }
        } catch (FlywayException error) {
            return "{\"ok\":false,\"code\":" + text(String.valueOf(error.getErrorCode())) + ",\"message\":" + text(error.getMessage()) + "}";
        } catch (Throwable error) {
            return "{\"ok\":false,\"code\":\"JAVA\",\"message\":" + text(error.toString()) + "}";
        } finally {
            TimeZone.setDefault(ours);
        }
    }

    private static String validate(Flyway flyway) {
        var result = flyway.validateWithResult();
        List<String> codes = new ArrayList<>();
        List<String> messages = new ArrayList<>();
        for (ValidateOutput invalid : result.invalidMigrations) {
            codes.add(text(String.valueOf(invalid.errorDetails.errorCode)));
            messages.add(invalid.errorDetails.errorMessage);
        }
        if (codes.isEmpty() && result.errorDetails != null) {
            codes.add(text(String.valueOf(result.errorDetails.errorCode)));
        }
        String answer = "{\"ok\":" + result.validationSuccessful + ",\"codes\":[" + String.join(",", codes) + "]";
        if (!result.validationSuccessful) {
            String error = result.errorDetails == null ? "" : result.errorDetails.errorMessage + "\n";
            answer += ",\"message\":" + text(error + String.join("\n", messages));
        }
        return answer + "}";
    }

    private static String info(Flyway flyway) {
        List<String> states = new ArrayList<>();
        List<String> items = new ArrayList<>();
        for (MigrationInfo info : flyway.info().all()) {
            String name = info.getVersion() == null ? info.getDescription() : info.getVersion().toString();
            states.add(text(name + ":" + info.getState().getDisplayName()));
            items.add(text(name + "|" + info.getDescription() + "|" + info.getType() + "|" + info.getState().getDisplayName()));
        }
        return "{\"ok\":true,\"states\":[" + String.join(",", states) + "],\"items\":[" + String.join(",", items) + "]}";
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private static String text(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : String.valueOf(text).toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
