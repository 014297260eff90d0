import com.google.gson.Gson;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Map;
import java.util.zip.CRC32;

public class Service {
    static void say(HttpExchange exchange, String text) throws java.io.IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 18086), 0);
        server.createContext("/", exchange -> say(exchange, new Gson().toJson(Map.of("up", true))));
        server.createContext("/work", exchange -> {
            try {
                CRC32 crc = new CRC32();
                crc.update("text".getBytes(Charset.forName("windows-1252")));
                var keys = KeyPairGenerator.getInstance("EC").generateKeyPair();
                String time = ZonedDateTime.now(ZoneId.of("Europe/Vienna")).getZone().toString();
                var parser = javax.xml.parsers.DocumentBuilderFactory.newInstance().newDocumentBuilder();
                say(exchange, time + " " + crc.getValue() + " " + keys.getPublic().getAlgorithm() + " " + parser.isValidating() + "\n");
            } catch (Exception error) {
                say(exchange, error.toString());
            }
        });
        server.start();
    }
}
