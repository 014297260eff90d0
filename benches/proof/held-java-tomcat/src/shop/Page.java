package shop;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ResourceBundle;

public class Page extends HttpServlet {
    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException, ServletException {
        try {
            request.setAttribute("goods", Store.all());
        } catch (Exception error) {
            throw new ServletException(error);
        }
        request.setAttribute("title", ResourceBundle.getBundle("messages", request.getLocale()).getString("title"));
        request.getRequestDispatcher("/goods.jsp").forward(request, response);
    }
}
