package shop;

import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Map;

public class Api extends HttpServlet {
    private final ObjectMapper mapper = new ObjectMapper();

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException, ServletException {
        String path = String.valueOf(request.getPathInfo());
        response.setContentType("application/json");
        try {
            Object answer = switch (path) {
                case "/goods" -> Store.all();
                case "/time" -> ZonedDateTime.now(ZoneId.of("Europe/Vienna")).getZone().getId();
                case "/tls" -> {
                    try {
                        HttpClient.newHttpClient().send(
                                HttpRequest.newBuilder(URI.create("https://127.0.0.1:18106/")).build(),
                                HttpResponse.BodyHandlers.ofString());
                        yield "up";
                    } catch (IOException error) {
                        yield error.getClass().getName();
                    }
                }
                case "/plugin" -> Class.forName("shop." + request.getParameter("name"))
                        .asSubclass(java.util.concurrent.Callable.class).getDeclaredConstructor().newInstance().call();
                case "/broken" -> throw new IllegalStateException("on purpose");
                default -> Map.of("up", true);
            };
            mapper.writeValue(response.getOutputStream(), answer);
        } catch (IOException error) {
            throw error;
        } catch (Exception error) {
            throw new ServletException(error);
        }
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException, ServletException {
        try {
            Store.add(mapper.readValue(request.getInputStream(), Good.class));
            response.setStatus(201);
        } catch (com.fasterxml.jackson.core.JsonProcessingException error) {
            response.sendError(400, error.getOriginalMessage());
        } catch (Exception error) {
            throw new ServletException(error);
        }
    }
}
