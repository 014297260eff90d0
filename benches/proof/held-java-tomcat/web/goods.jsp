<%@ page contentType="text/html;charset=UTF-8" errorPage="/WEB-INF/error.jsp" %>
<%@ include file="/WEB-INF/head.jspf" %>
<h1>${title}</h1>
<% for (shop.Good good : (java.util.List<shop.Good>) request.getAttribute("goods")) { %>
<p><%= good.name %>: <%= String.format(java.util.Locale.GERMANY, "%.2f", good.cents / 100.0) %></p>
<% } %>
